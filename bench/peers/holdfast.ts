import type { RetryOptions, WireOptions } from 'holdfast';
import { createHoldfastServer } from 'holdfast/server';
import { serveWebSockets } from 'holdfast/server/ws';
import type { WebSocket } from 'ws';

import { outletFor } from '../session-outlet.ts';
import type { ClientEars, ClientEnd, Service } from './ends.ts';
import { openService } from './holdfast-client.ts';
import { Uncompressed } from './sockets.ts';

const MAX_PAYLOAD = 16_777_216;

/** The companion, as it is by itself. */
export function serviceOf(compression: boolean): Service {
  return {
    serve: (http, ears) => {
      const server = createHoldfastServer<WebSocket>({
        authenticate: () => ({ principal: 'bench' }),
        compression,
        // nothing else here bounds what waits for a client
        limits: { bufferedBytes: 1e12 },
        onSession: (session) => {
          session.onMessage(({ data }) => {
            ears.heard(data);
          });
          session.onRequest(({ data }) => data);
          ears.opened(outletFor(session));
        },
        onError: (error) => {
          throw error;
        },
      });
      serveWebSockets(server, http, { maxPayload: MAX_PAYLOAD });
    },
  };
}

export function openHoldfast(
  url: string,
  ears: ClientEars,
  wire: 'plain' | WireOptions,
  retry: RetryOptions = {},
): Promise<ClientEnd> {
  return openService(url, ears, { wire, retry, WebSocket: Uncompressed });
}
