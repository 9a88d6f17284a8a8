import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { WebSocket } from 'ws';

import {
  createHoldfastServer,
  type HoldfastServer,
  type HoldfastServerOptions,
  type InboundMessage,
  type Session,
} from '../../src/server/index.ts';
import { serveWebSockets } from '../../src/server/ws.ts';

/** A server of holdfast.v1 on a free port of this machine, with what its application saw. */
export class TestNode {
  readonly holdfast: HoldfastServer<WebSocket>;
  /** What its application was handed, over all sessions, in order. */
  readonly received: unknown[] = [];
  /** The sessions that came here, in order. */
  readonly sessions: Session[] = [];
  readonly errors: unknown[] = [];
  readonly #http: Server;

  constructor(http: Server, options: Partial<HoldfastServerOptions<WebSocket>>) {
    this.#http = http;
    this.holdfast = createHoldfastServer<WebSocket>({
      authenticate: () => ({ principal: 'ann' }),
      onError: (error) => this.errors.push(error),
      ...options,
      onSession: (session) => {
        this.sessions.push(session);
        session.onMessage(({ data }: InboundMessage) => {
          this.received.push(data);
        });
        options.onSession?.(session);
      },
    });
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/`;
  }

  /** The newest session. */
  get session(): Session {
    const session = this.sessions.at(-1);
    if (!session) throw new Error('No session came here.');
    return session;
  }
}

/** Starts a node, which is closed when the test is over. */
export async function startNode(options: Partial<HoldfastServerOptions<WebSocket>> = {}): Promise<TestNode> {
  const http = createServer();
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const node = new TestNode(http, options);
  const attachment = serveWebSockets(node.holdfast, http);
  onTestFinished(async () => {
    await node.holdfast.close();
    attachment.close();
    await new Promise((resolve) => http.close(resolve));
  });
  return node;
}
