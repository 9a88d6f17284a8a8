import { jsonProfile, type RetryOptions, type WireOptions } from 'holdfast';
import { createAuditLog, memorySink } from 'holdfast/audit';
import { createHoldfastServer } from 'holdfast/server';
import { serveWebSockets } from 'holdfast/server/ws';
import type { WebSocket } from 'ws';

import { openConnection } from '../senders.ts';
import { outletFor } from '../session-outlet.ts';
import { Replies, type ClientEars, type ClientEnd, type Numbered, type Service } from './ends.ts';

const MAX_PAYLOAD = 16_777_216;
const DRAIN_MS = 45_000;

/** The companion, as it is by itself. */
export function serviceOf(compression: boolean): Service {
  return {
    serve: (http, ears) => {
      const server = createHoldfastServer<WebSocket>({
        authenticate: () => ({ principal: 'bench' }),
        compression,
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

/** As users get it: health is watched, and an audit log is attached at its default level. The queue has no bounds, for nothing else here has any. */
export async function openHoldfast(
  url: string,
  { form, heard }: ClientEars,
  wire: 'plain' | WireOptions,
  retry: RetryOptions = {},
): Promise<ClientEnd> {
  const isPlain = wire === 'plain';
  const { service, connection, close } = await openConnection(url, {
    wire,
    retry,
    ...(form === 'json' && { profile: jsonProfile }),
  });
  createAuditLog({ sinks: [memorySink()] }).attach(service);
  const replies = new Replies();
  connection.subscribe((message) => {
    if (!replies.take(message)) heard(message);
  });
  const send = (message: object): void => {
    if (connection.send(message).fate === 'dropped') throw new Error('A message was refused.');
  };
  const askPlain = (message: Numbered): Promise<unknown> => {
    const reply = replies.to(message);
    send(message);
    return reply;
  };
  return {
    send,
    ask: isPlain ? askPlain : (message) => connection.request(message),
    settled: () => connection.drainQueue({ timeoutMs: DRAIN_MS }),
    close,
  };
}
