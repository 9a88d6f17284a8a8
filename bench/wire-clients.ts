import { once } from 'node:events';
import { jsonProfile } from 'holdfast';
import { WebSocket } from 'ws';

import type { Payloads } from './payloads.ts';
import { openConnection } from './service-connection.ts';
import type { SettlingOutlet } from './turns.ts';

/** A client's end of a connection. */
export interface WireClient extends SettlingOutlet {
  close(): Promise<void>;
}

/** A way to send messages. */
export interface Way {
  name: string;
  /** Whether messages have positions, which are the longer the more came before. */
  hasPositions: boolean;
  /** Connects to a server. */
  open(url: string, hearing: Hearing): Promise<WireClient>;
}

/** What a client is told of what it hears. */
export interface Hearing {
  /** Of every message. */
  form: Payloads['form'];
  onMessage: (message: unknown) => void;
}

/** JSON over `ws`, without anything that this is not. */
export const raw: Way = {
  name: 'raw ws',
  hasPositions: false,
  open: (url, hearing) => openRaw(`${url}/raw`, false, hearing),
};

/** The same with permessage-deflate of every message, each direction with one window for all of them. */
export const rawDeflate: Way = {
  name: 'ws + deflate',
  hasPositions: false,
  open: (url, hearing) => openRaw(`${url}/raw-deflate`, { threshold: 0 }, hearing),
};

export const holdfast: Way = {
  name: 'holdfast.v1',
  hasPositions: true,
  open: (url, hearing) => openHoldfast(`${url}/holdfast`, false, hearing),
};

export const holdfastDeflate: Way = {
  name: 'holdfast.v1, compressed',
  hasPositions: true,
  open: (url, hearing) => openHoldfast(`${url}/holdfast-deflate`, true, hearing),
};

/** The same with a window over all frames of a socket. */
export const holdfastWindow: Way = {
  name: 'holdfast.v1, window',
  hasPositions: true,
  open: (url, hearing) => openHoldfast(`${url}/holdfast-window`, 'window', hearing),
};

async function openRaw(
  url: string,
  perMessageDeflate: false | { threshold: number },
  { onMessage }: Hearing,
): Promise<WireClient> {
  const socket = new WebSocket(url, { perMessageDeflate });
  await once(socket, 'open');
  socket.on('message', (data: Buffer, isBinary) => {
    onMessage(isBinary ? data : JSON.parse(data.toString()));
  });
  return {
    send: (message) => {
      socket.send(message instanceof Uint8Array ? message : JSON.stringify(message));
    },
    // nobody tells; the receiver knows
    settled: () => Promise.resolve(),
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

async function openHoldfast(
  url: string,
  compression: boolean | 'window',
  { form, onMessage }: Hearing,
): Promise<WireClient> {
  const { connection, close } = await openConnection(url, {
    wire: { use: 'required', compression },
    // parsed by the wire already; raw parses it as well
    ...(form === 'json' && { profile: jsonProfile }),
  });
  connection.subscribe(onMessage);
  return {
    send: (message) => {
      if (connection.send(message).fate === 'dropped') throw new Error('A message was refused.');
    },
    settled: () => connection.drainQueue({ timeoutMs: 45_000 }),
    close,
  };
}
