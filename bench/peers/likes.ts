import { decoded, encoded, Replies, unknowable, type ClientEars, type ClientEnd } from './ends.ts';

const OPEN = 1;

/** As much of a WebSocket as all of them have. */
interface Like {
  binaryType: string;
  readonly readyState: number;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): unknown;
  addEventListener(type: 'open' | 'close', listener: () => void): unknown;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** Whatever is used as a WebSocket is. */
export async function openLike(socket: Like, ears: ClientEars): Promise<ClientEnd> {
  socket.binaryType = 'arraybuffer';
  const replies = new Replies();
  socket.addEventListener('message', ({ data }) => {
    const message = decoded(data);
    if (!replies.take(message)) ears.heard(message);
  });
  await new Promise<void>((resolve) => {
    socket.addEventListener('open', resolve);
  });
  return {
    send: (message) => {
      socket.send(encoded(message) as string);
    },
    ask: (message) => {
      const reply = replies.to(message);
      socket.send(JSON.stringify(message));
      return reply;
    },
    settled: unknowable,
    close: async () => {
      const isOpen = socket.readyState === OPEN;
      const closed = new Promise<void>((resolve) => {
        socket.addEventListener('close', resolve);
      });
      socket.close();
      // who is between two connections says no more that it has closed
      if (isOpen) await closed;
    },
  };
}
