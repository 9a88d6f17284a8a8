import { buildSchema, type ExecutionArgs } from 'graphql';
import { createClient, type Client } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocket, WebSocketServer } from 'ws';

import { unknowable, type ClientEars, type ClientEnd, type Service } from './ends.ts';

// what a message says is the application's, and one text for both
const schema = buildSchema('type Query { ask(message: String!): String! } type Subscription { down: String! }');
const ASK = 'query ($message: String!) { ask(message: $message) }';
const DOWN = 'subscription { down }';

/** It asks, and subscribes: a message up without an answer it does not know. */
export const service: Service = {
  serve: (http, ears) => {
    const server = new WebSocketServer({ server: http, perMessageDeflate: false });
    useServer(
      {
        schema,
        roots: {
          query: { ask: ({ message }: { message: string }) => message },
          subscription: {
            down: () => {
              const line = new Line();
              ears.opened({
                send: (message) => {
                  line.put(JSON.stringify(message));
                },
                settled: unknowable,
              });
              return line;
            },
          },
        } satisfies Record<string, Record<string, (args: never, context: never, info: never) => unknown>>,
      },
      server,
    );
  },
};

/** What is still to be told to a subscriber. */
class Line implements AsyncIterableIterator<ExecutionArgs['rootValue']> {
  readonly #items: string[] = [];
  #wake: (() => void) | undefined;
  #isOver = false;

  put(item: string): void {
    this.#items.push(item);
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<{ down: string }>> {
    while (this.#items.length === 0 && !this.#isOver) await new Promise<void>((resolve) => (this.#wake = resolve));
    const down = this.#items.shift();
    return down === undefined ? { done: true, value: undefined } : { done: false, value: { down } };
  }

  return(): Promise<IteratorResult<{ down: string }>> {
    this.#isOver = true;
    this.#wake?.();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

export async function openGraphqlWs(url: string, { heard }: ClientEars): Promise<ClientEnd> {
  const client: Client = createClient({
    url,
    lazy: false,
    webSocketImpl: class extends WebSocket {
      constructor(address: string, protocols: string) {
        super(address, protocols, { perMessageDeflate: false });
      }
    },
  });
  await new Promise<void>((resolve) => {
    client.on('connected', () => {
      resolve();
    });
  });
  client.subscribe<{ down: string }>(
    { query: DOWN },
    {
      next: ({ data }) => {
        heard(JSON.parse(data?.down ?? 'null'));
      },
      error: () => undefined,
      complete: () => undefined,
    },
  );
  const ask = (message: object): Promise<unknown> =>
    new Promise((resolve, reject) => {
      client.subscribe<{ ask: string }>(
        { query: ASK, variables: { message: JSON.stringify(message) } },
        {
          next: ({ data }) => {
            resolve(JSON.parse(data?.ask ?? 'null'));
          },
          error: reject,
          complete: () => undefined,
        },
      );
    });
  return {
    send: () => {
      throw new Error('It has no message that is not answered.');
    },
    ask,
    settled: unknowable,
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        client.on('closed', () => {
          resolve();
        });
      });
      await client.dispose();
      await closed;
    },
  };
}
