import { EnhancedWebSocketService, jsonProfile, type RetryOptions, type WireOptions } from 'holdfast';
import { createAuditLog, memorySink } from 'holdfast/audit';
import { createHoldfastServer } from 'holdfast/server';
import { serveWebSockets } from 'holdfast/server/ws';
import type { WebSocket } from 'ws';

import { outletFor } from '../session-outlet.ts';
import { Uncompressed } from './sockets.ts';
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

// of each server, the service whose connections go there, and how many it has
let opened = 0;
const services = new Map<string, { service: EnhancedWebSocketService; open: number }>();

/**
 * As users get it: the connections of a process belong to one service, health is watched, and an audit log is attached at its default level. The queue has
 * no bounds, for nothing else here has any.
 */
export async function openHoldfast(
  url: string,
  { form, heard }: ClientEars,
  wire: 'plain' | WireOptions,
  retry: RetryOptions = {},
): Promise<ClientEnd> {
  const isPlain = wire === 'plain';
  const shared = services.get(url) ?? { service: serviceFor(url, { form, wire, retry }), open: 0 };
  services.set(url, shared);
  shared.open += 1;
  const { service } = shared;
  const connection = service.connection(await service.connect({ serviceType: 'main', key: `${opened++}` }));
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
    close: async () => {
      await connection.close();
      if (--shared.open > 0) return;
      services.delete(url);
      await service.destroy();
    },
  };
}

function serviceFor(
  url: string,
  { form, wire, retry }: { form: ClientEars['form']; wire: 'plain' | WireOptions; retry: RetryOptions },
): EnhancedWebSocketService {
  const queue = { maxMessages: 1e9, maxBytes: 1e12 };
  const profile = form === 'json' && { profile: jsonProfile };
  const service = new EnhancedWebSocketService({
    services: { main: { url, wire, retry, queue, maxConnections: 100_000, ...profile } },
    WebSocket: Uncompressed,
  });
  createAuditLog({ sinks: [memorySink()] }).attach(service);
  return service;
}
