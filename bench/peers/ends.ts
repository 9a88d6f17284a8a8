import type { Server } from 'node:http';

import type { SettlingOutlet } from '../turns.ts';

/** The end of a client. */
export interface ClientEnd extends SettlingOutlet {
  /** Resolves with the answer: by the library's own way to ask, or else by a message with the same number. */
  ask(message: Numbered): Promise<unknown>;
  close(): Promise<void>;
}

/** A message that names itself. */
export interface Numbered {
  n: number;
}

/** Hears what comes to a client. */
export interface ClientEars {
  /** Of every message. */
  form: 'json' | 'bytes';
  heard: (message: unknown) => void;
}

/** Hears what comes to a server. */
export interface ServerEars {
  opened(end: SettlingOutlet): void;
  heard: (message: unknown) => void;
  /** Whether messages are to be sent back instead, where the library has no other way to answer. */
  readonly isEcho: boolean;
}

/** The server's side of a library. */
export interface Service {
  serve(http: Server, ears: ServerEars): void | Promise<void>;
}

/** A client's side of a library, with its options. */
export interface Candidate {
  name: string;
  /** What its server speaks. */
  service: ServiceName;
  /** What is not as the library has it by itself. @default nothing */
  tuned?: string;
  /** What it cannot do. @default nothing */
  lacks?: readonly ('uplink' | 'bytes')[];
  /** How much of what the others carry it is given, for it is so much slower. @default 1 */
  share?: number;
  open(url: string, ears: ClientEars): Promise<ClientEnd>;
}

export type ServiceName =
  'raw' | 'raw-deflate' | 'bare-batches' | 'holdfast' | 'holdfast-deflate' | 'socket.io' | 'graphql-ws' | 'mqtt';

/** Answers of a peer that has none of its own: the message with the number comes back. */
export class Replies {
  readonly #waiting = new Map<number, (message: unknown) => void>();

  /** Waits for the message with this number. */
  to({ n }: Numbered): Promise<unknown> {
    return new Promise((resolve) => this.#waiting.set(n, resolve));
  }

  /** @returns Whether somebody waits for it. */
  take(message: unknown): boolean {
    if (this.#waiting.size === 0) return false;
    const { n } = message as Numbered;
    const resolve = this.#waiting.get(n);
    this.#waiting.delete(n);
    resolve?.(message);
    return resolve !== undefined;
  }
}

/** All of them as one: messages go to each of them in turn. */
export function dealtOut(ends: readonly SettlingOutlet[]): SettlingOutlet {
  const [only] = ends;
  if (only && ends.length === 1) return only;
  let sent = 0;
  return {
    send: (message) => {
      ends[sent++ % ends.length]?.send(message);
    },
    settled: async () => {
      await Promise.all(ends.map((end) => end.settled()));
    },
  };
}

/** As JSON, if it is no bytes. */
export function encoded(message: object): string | Uint8Array {
  return message instanceof Uint8Array ? message : JSON.stringify(message);
}

/** What was sent as text or as bytes. */
export function decoded(data: unknown): unknown {
  return typeof data === 'string' ? JSON.parse(data) : data;
}

/** What nobody tells this end; the receiver knows. */
export const unknowable = (): Promise<void> => Promise.resolve();
