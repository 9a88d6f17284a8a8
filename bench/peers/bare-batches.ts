/** What `holdfast.v1` does with messages, and nothing around it: this is what its promise costs by itself. */
import { once } from 'node:events';
import { systemClock } from 'holdfast';
import { WebSocket, WebSocketServer } from 'ws';

import { FlushClock } from '../../src/core/flush-clock.ts';
import type { SettlingOutlet } from '../turns.ts';
import { Replies, type ClientEars, type ClientEnd, type Service } from './ends.ts';
import { openWsSocket } from './sockets.ts';

const FRAME_BYTES = 65_536;
const FRAME_MESSAGES = 256;
const ACK_MESSAGES = 256;
const ACK_DELAY_MS = 50;

/**
 * Messages leave in frames of a turn of the event loop, by the clock of the product, are kept until the other side has acknowledged them, and acknowledged after 256 of them or 50 ms. Nobody checks anything, and what is lost is lost: no state,
 * no limit, no outbox, no resuming, no health, no record. A frame is the position of its first message with an array of JSON, or with lengths and bytes.
 */
export class BareBatches implements SettlingOutlet {
  readonly #socket: WebSocket;
  readonly #heard: (message: unknown) => void;
  readonly #clock: FlushClock;
  #waiting: (string | Uint8Array)[] = [];
  // as they were sent, with the position of the last of each frame
  readonly #kept: { last: number; messages: readonly (string | Uint8Array)[] }[] = [];
  #sent = 0;
  #received = 0;
  #told = 0;
  #ackTimer: NodeJS.Timeout | undefined;
  #settled: (() => void) | undefined;

  constructor(socket: WebSocket, heard: (message: unknown) => void) {
    this.#socket = socket;
    this.#heard = heard;
    this.#clock = new FlushClock({ clock: systemClock(), lingerMs: () => 0, flush: () => this.#flush() });
    socket.binaryType = 'arraybuffer';
    socket.on('error', () => undefined);
    socket.on('message', (data, isBinary) => {
      this.#clock.received();
      if (isBinary) this.#bytes(new Uint8Array(data as ArrayBuffer));
      else this.#text((data as Buffer).toString());
    });
    socket.on('close', () => {
      clearTimeout(this.#ackTimer);
      this.#clock.cancel();
    });
  }

  /** Sends a message: bytes as a copy, for their owner may use them again while they wait. */
  send(message: object): void {
    this.#waiting.push(message instanceof Uint8Array ? new Uint8Array(message) : JSON.stringify(message));
    this.#clock.request();
  }

  /** The same, of a message that will be answered. */
  ask(message: object): void {
    this.#clock.asking();
    this.send(message);
  }

  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settled = resolve;
      this.#look();
    });
  }

  #flush(): boolean {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length === 0 || this.#socket.readyState !== WebSocket.OPEN) return false;
    const stream = (this.#socket as unknown as { _socket: { cork(): void; uncork(): void } })._socket;
    stream.cork();
    for (let from = 0; from < waiting.length;) {
      let to = from;
      for (let bytes = 0; to < waiting.length && to - from < FRAME_MESSAGES; to++) {
        bytes += (waiting[to]?.length ?? 0) + 4;
        if (to > from && bytes > FRAME_BYTES) break;
      }
      this.#frame(waiting.slice(from, to));
      from = to;
    }
    stream.uncork();
    return true;
  }

  #frame(messages: readonly (string | Uint8Array)[]): void {
    const first = this.#sent + 1;
    this.#sent += messages.length;
    this.#kept.push({ last: this.#sent, messages });
    const isText = typeof messages[0] === 'string';
    this.#socket.send(isText ? `${first}[${messages.join(',')}]` : joined(first, messages as readonly Uint8Array[]));
  }

  #text(text: string): void {
    // an acknowledgement is a number alone
    const list = text.indexOf('[');
    if (list < 0) return this.#acknowledged(Number(text));
    for (const message of JSON.parse(text.slice(list)) as unknown[]) this.#take(message);
  }

  #bytes(frame: Uint8Array): void {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
    for (let at = 4; at < frame.length;) {
      const length = view.getUint32(at);
      at += 4;
      this.#take(frame.subarray(at, at + length));
      at += length;
    }
  }

  #take(message: unknown): void {
    this.#received += 1;
    this.#heard(message);
    if (this.#received - this.#told >= ACK_MESSAGES) this.#acknowledge();
    else
      this.#ackTimer ??= setTimeout(() => {
        this.#acknowledge();
      }, ACK_DELAY_MS);
  }

  #acknowledge(): void {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    this.#told = this.#received;
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(String(this.#told));
  }

  #acknowledged(upTo: number): void {
    const left = this.#kept.findIndex(({ last }) => last > upTo);
    this.#kept.splice(0, left < 0 ? this.#kept.length : left);
    this.#look();
  }

  #look(): void {
    if (this.#kept.length > 0 || this.#waiting.length > 0) return;
    this.#settled?.();
    this.#settled = undefined;
  }
}

function joined(first: number, messages: readonly Uint8Array[]): Uint8Array {
  const frame = new Uint8Array(messages.reduce((sum, { length }) => sum + 4 + length, 4));
  const view = new DataView(frame.buffer);
  view.setUint32(0, first);
  let at = 4;
  for (const message of messages) {
    view.setUint32(at, message.length);
    frame.set(message, at + 4);
    at += 4 + message.length;
  }
  return frame;
}

export const service: Service = {
  serve: (http, ears) => {
    const server = new WebSocketServer({ server: http, perMessageDeflate: false });
    server.on('connection', (socket) => {
      const end = new BareBatches(socket, (message) => {
        if (ears.isEcho) end.send(message as object);
        else ears.heard(message);
      });
      ears.opened(end);
    });
  },
};

export async function openBareBatches(url: string, ears: ClientEars): Promise<ClientEnd> {
  const socket = await openWsSocket(url);
  const replies = new Replies();
  const end = new BareBatches(socket, (message) => {
    if (!replies.take(message)) ears.heard(message);
  });
  return {
    send: (message) => {
      end.send(message);
    },
    ask: (message) => {
      const reply = replies.to(message);
      end.ask(message);
      return reply;
    },
    settled: () => end.settled(),
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}
