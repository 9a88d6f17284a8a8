import { expect, test } from 'vitest';
import { WebSocket } from 'ws';

import type { WebSocketLike } from '../../src/index.ts';
import { startClient } from '../support/client.ts';
import { converse } from '../support/conversation.ts';
import { until } from '../support/deadline.ts';
import { runProgram, usePrograms } from '../support/program.ts';
import { echo, startServer, type TestServer } from '../support/server.ts';

usePrograms();

/** A socket class with the standard members and no others. */
class MinimalWebSocket implements WebSocketLike {
  onopen: WebSocketLike['onopen'] = null;
  onmessage: WebSocketLike['onmessage'] = null;
  onerror: WebSocketLike['onerror'] = null;
  onclose: WebSocketLike['onclose'] = null;
  readonly #socket: WebSocket;

  constructor(url: string, protocols: string[] = []) {
    this.#socket = new WebSocket(url, protocols);
    this.#socket.onopen = () => this.onopen?.({} as never);
    this.#socket.onmessage = ({ data }) => this.onmessage?.({ data } as never);
    this.#socket.onerror = () => this.onerror?.({} as never);
    this.#socket.onclose = ({ code, reason, wasClean }) => this.onclose?.({ code, reason, wasClean } as never);
  }

  get readyState(): number {
    return this.#socket.readyState;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  get binaryType(): string {
    return this.#socket.binaryType;
  }

  set binaryType(type: string) {
    this.#socket.binaryType = type as 'arraybuffer';
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(data);
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }
}

/** A server that echoes, and closes or terminates when a message says so. */
function startPartner(): Promise<TestServer> {
  return startServer({
    onSocket: (socket) => {
      echo(socket);
      socket.on('message', (data) => {
        const text = (data as Buffer).toString();
        if (text === 'close') socket.close(4500, 'back soon');
        else if (text === 'terminate') socket.terminate();
      });
    },
  });
}

/** The lines that every platform agrees on: what came with a close may or may not have been read before it. */
function essence(transcript: readonly string[]): string[] {
  return transcript.filter((line) => line !== 'text close' && line !== 'text terminate');
}

const LAST_WORDS: unknown[] = [
  expect.stringMatching(/^closed, 5 handed over, [345] received$/),
  'the audit log is intact, its replay equal',
];

const TRANSCRIPT: unknown[] = [
  'opened',
  'text hello',
  'bytes 1 2 3',
  "closed 4500 'back soon' cleanly by peer",
  'opened again',
  "closed 1006 '' uncleanly by network",
  'opened again',
  'text {"type":"input","data":"ls -la"}',
  "closed 4000 'done' cleanly by local",
];

test.each([
  ['the class of ws', WebSocket],
  ['a class with the standard members only', MinimalWebSocket],
])('a conversation goes the same way on %s', async (_, Socket) => {
  const server = await startPartner();
  const transcript = essence(await converse(server.url, Socket));
  expect(transcript).toEqual([...TRANSCRIPT, ...LAST_WORDS]);
  expect(server.closes.at(-1)).toEqual({ code: 4000, reason: 'done' });
  await until('no connection is left', () => server.tcp.size === 0);
});

test('a class without terminate() lets go of a handshake that is not answered (pain 24)', async () => {
  const server = await startServer({ upgrade: 'hold' });
  const client = startClient({ url: server.url, connectTimeoutMs: 50 }, { WebSocket: MinimalWebSocket });
  void client.connect();
  expect(await client.nth('error', 1)).toMatchObject({ code: 'CONNECT_TIMEOUT' });
  await client.service.disconnect('main');
  await until('no connection is left', () => server.tcp.size === 0);
});

test('a conversation goes the same way on the global WebSocket of Node', async () => {
  const server = await startPartner();
  const node = 'WebSocket' in globalThis ? [] : ['--experimental-websocket', '--disable-warning=ExperimentalWarning'];
  const end = await runProgram('converse', { node, args: [server.url] });
  expect(end).toMatchObject({ code: 0, signal: null, stderr: '' });
  const transcript = essence(end.result as string[]);
  expect(transcript).toEqual([...TRANSCRIPT, ...LAST_WORDS]);
  expect(server.closes.at(-1)).toEqual({ code: 4000, reason: 'done' });
});
