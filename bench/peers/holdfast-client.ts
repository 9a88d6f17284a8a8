import {
  EnhancedWebSocketService,
  jsonProfile,
  type EnhancedWebSocketOptions,
  type RetryOptions,
  type SendOutcome,
  type WireOptions,
} from 'holdfast';
import { createAuditLog, memorySink, replay, verify } from 'holdfast/audit';

import { Replies, type ClientEars, type ClientEnd, type Numbered } from './ends.ts';
import { IS_VERIFYING, Promises } from './promises.ts';

const DRAIN_MS = 45_000;
const EVERYTHING = 1e9;

/** What a service is told. */
export interface Setup {
  wire: 'plain' | WireOptions;
  retry?: RetryOptions;
  /** @default that of the platform */
  WebSocket?: EnhancedWebSocketOptions['WebSocket'];
}

/** A service, and how it ends. */
interface Served {
  service: EnhancedWebSocketService;
  end: () => Promise<void>;
}

// of each server, the service whose connections go there, and how many it has
let opened = 0;
const services = new Map<string, { served: Served; open: number }>();

/**
 * As users get it: the connections of a process belong to one service, health is watched, and an audit log is attached at its default level. The queue has
 * no bounds, for nothing else here has any.
 */
export async function openService(url: string, { form, heard }: ClientEars, setup: Setup): Promise<ClientEnd> {
  const isPlain = setup.wire === 'plain';
  const shared = services.get(url) ?? { served: serve(url, form, setup), open: 0 };
  services.set(url, shared);
  shared.open += 1;
  const { service, end } = shared.served;
  const connection = service.connection(await service.connect({ serviceType: 'main', key: `${opened++}` }));
  const replies = new Replies();
  const promises = new Promises<SendOutcome>(({ outcome }) => outcome === (isPlain ? 'sent' : 'acknowledged'));
  connection.subscribe((message) => {
    if (!replies.take(message)) heard(message);
  });
  const send = (message: object): void => {
    const receipt = connection.send(message);
    if (receipt.fate === 'dropped') throw new Error('A message was refused.');
    promises.made(receipt);
  };
  const askPlain = (message: Numbered): Promise<unknown> => {
    const reply = replies.to(message);
    send(message);
    return reply;
  };
  return {
    send,
    ask: isPlain ? askPlain : (message) => connection.request(message),
    settled: async () => {
      await connection.drainQueue({ timeoutMs: DRAIN_MS });
      await promises.kept();
    },
    close: async () => {
      await connection.close();
      if (--shared.open > 0) return;
      services.delete(url);
      await end();
    },
  };
}

function serve(url: string, form: ClientEars['form'], { wire, retry = {}, WebSocket }: Setup): Served {
  const queue = { maxMessages: 1e9, maxBytes: 1e12 };
  const profile = form === 'json' && { profile: jsonProfile };
  const service = new EnhancedWebSocketService({
    services: { main: { url, wire, retry, queue, maxConnections: 100_000, ...profile } },
    ...(WebSocket && { WebSocket }),
  });
  const sink = memorySink(IS_VERIFYING ? { maxRecords: EVERYTHING } : {});
  const log = createAuditLog({ sinks: [sink] });
  log.attach(service);
  const end = async (): Promise<void> => {
    await service.destroy();
    if (!IS_VERIFYING) return;
    await log.close();
    await checkLog(sink.lines());
  };
  return { service, end };
}

// whether it is whole, and says what the machines do
async function checkLog(lines: readonly string[]): Promise<void> {
  const { verdict, problems } = await verify(lines);
  if (verdict !== 'intact') throw new Error(`The audit log is ${verdict}: ${JSON.stringify(problems)}`);
  const replayed = await replay(lines);
  if (replayed.verdict !== 'equal') throw new Error(`The audit log ${replayed.verdict}: ${JSON.stringify(replayed)}`);
}
