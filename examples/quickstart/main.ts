import { EnhancedWebSocketService } from 'holdfast';
import WebSocket from 'ws'; // browsers have their own: leave this line and the option out

const service = new EnhancedWebSocketService({
  services: { chat: { url: process.env['CHAT_URL'] ?? 'ws://127.0.0.1:8080' } },
  WebSocket,
});
service.on('retrying', ({ delayMs, error }) => console.log(`next attempt in ${delayMs} ms: ${error?.message}`));

const id = await service.connect({ serviceType: 'chat' });
service.connection(id).subscribe((data) => console.log('received', data));
await service.sendMessage(id, { type: 'message', content: 'hello' });
