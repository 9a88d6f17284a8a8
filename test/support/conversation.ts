import { EnhancedWebSocketService, type MessageError, type WebSocketConstructor } from '../../src/index.ts';
import { createAuditLog, replay, verify } from '../../src/audit/index.ts';
import { until } from './deadline.ts';

/** What a socket class is put through: both kinds of message, a close by the peer, a loss, a close by the application. */
export async function converse(url: string, WebSocket?: WebSocketConstructor): Promise<string[]> {
  const transcript: string[] = [];
  const service = new EnhancedWebSocketService({
    services: { main: { url, retry: { baseMs: 20, capMs: 100 } } },
    ...(WebSocket && { WebSocket }),
    onError: ({ cause }) => transcript.push(`fault ${String(cause)}`),
  });
  const records: string[] = [];
  const log = createAuditLog({ sinks: [{ name: 'records', append: (lines) => void records.push(...lines) }] });
  log.attach(service);
  let opened = 0;
  service.on('opened', ({ isReconnect }) => {
    opened += 1;
    transcript.push(isReconnect ? 'opened again' : 'opened');
  });
  service.on('closed', ({ code, reason, wasClean, initiator }) =>
    transcript.push(`closed ${code} '${reason}' ${wasClean ? 'cleanly' : 'uncleanly'} by ${initiator}`),
  );
  service.on('message', ({ data }) =>
    transcript.push(typeof data === 'string' ? `text ${data}` : `bytes ${[...new Uint8Array(data)].join(' ')}`),
  );
  const line = (wanted: string): Promise<boolean> => until(wanted, () => transcript.includes(wanted));

  const id = await service.connect({ serviceType: 'main' });
  // whether the word that ends the socket has left it when it ends is not for everybody to see in time
  const lastWord = async (word: string): Promise<void> => {
    await service.sendMessage(id, word).catch((error: unknown) => {
      if ((error as MessageError).outcome !== 'unknown') throw error;
    });
  };
  await service.sendMessage(id, 'hello');
  await line('text hello');
  await service.sendMessage(id, new Uint8Array([0, 1, 2, 3, 4]).subarray(1, 4));
  await line('bytes 1 2 3');
  await lastWord('close');
  await until('it is open again', () => opened === 2);
  await lastWord('terminate');
  await until('it is open once more', () => opened === 3);
  await service.sendMessage(id, { type: 'input', data: 'ls -la' });
  await line('text {"type":"input","data":"ls -la"}');
  await service.disconnect(id, { code: 4000, reason: 'done' });
  const { state, messages } = service.connection(id).status;
  transcript.push(`${state}, ${messages.sent + messages.unknown} handed over, ${messages.received} received`);
  await service.destroy();
  await log.close();
  const [verified, replayed] = [await verify(records), await replay(records)];
  transcript.push(`the audit log is ${verified.verdict}, its replay ${replayed.verdict}`);
  return transcript;
}
