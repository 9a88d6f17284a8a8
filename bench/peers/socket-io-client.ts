import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';

import { unknowable, type ClientEars, type ClientEnd } from './ends.ts';

/** With its defaults it begins by polling, and is ready once it has changed over. */
export async function openSocketIo(
  url: string,
  { heard }: ClientEars,
  options: Partial<ManagerOptions & SocketOptions> = {},
): Promise<ClientEnd> {
  const socket: Socket = io(url.replace('ws:', 'http:'), { ...options, forceNew: true });
  socket.on('message', heard);
  await new Promise<void>((resolve) => {
    socket.on('connect', resolve);
  });
  const { engine } = socket.io;
  const isAcknowledged = options.retries !== undefined;
  let unacknowledged = 0;
  let settled = (): void => undefined;
  const acknowledged = (): void => {
    unacknowledged -= 1;
    if (unacknowledged === 0) settled();
  };
  if (engine.transport.name !== 'websocket') await new Promise((resolve) => engine.once('upgrade', resolve));
  return {
    send: (message) => {
      unacknowledged += 1;
      if (isAcknowledged) socket.emit('message', message, acknowledged);
      else socket.emit('message', message);
    },
    ask: (message) => socket.emitWithAck('ask', message) as Promise<unknown>,
    settled: () => {
      if (!isAcknowledged || unacknowledged === 0) return unknowable();
      return new Promise((resolve) => (settled = resolve));
    },
    close: async () => {
      // by now it may be another one, and where it is lost none
      const isOpen = socket.connected;
      const closed = new Promise((resolve) => socket.io.engine.once('close', resolve));
      socket.disconnect();
      if (isOpen) await closed;
    },
  };
}
