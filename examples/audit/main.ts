import { EnhancedWebSocketService } from 'holdfast';
import { createAuditLog } from 'holdfast/audit';
import { fileSink } from 'holdfast/audit/node';
import WebSocket from 'ws';

const service = new EnhancedWebSocketService({
  services: { chat: { url: process.env['CHAT_URL'] ?? 'ws://127.0.0.1:8080' } },
  WebSocket,
});
const log = createAuditLog({
  sinks: [fileSink({ path: process.env['AUDIT_LOG'] ?? 'audit.jsonl' })],
  onError: ({ code, cause }) => console.error(code, cause), // no connection hears of it
});
log.attach(service);

const id = await service.connect({ serviceType: 'chat' });
await service.sendMessage(id, { type: 'message', content: 'hello' });
await service.destroy();
await log.close();
