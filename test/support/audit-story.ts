import { createAuditLog } from '../../src/audit/log.ts';
import type { AuditRecord, Json } from '../../src/audit/record.ts';
import { Chain } from './audit-chain.ts';
import { rig } from './service.ts';

const MIDNIGHT = Date.UTC(2026, 0, 1);

/** The states of the chart that stories speak of. */
export const STATES = {
  idle: 'idle',
  connecting: { live: { connecting: 'dialing' } },
  open: { live: { linked: { established: 'open' } } },
  degraded: { live: { linked: { established: 'degraded' } } },
  closing: { live: 'closing' },
  waiting: { backoff: 'waiting' },
  told: { backoff: 'told' },
  offline: { backoff: 'offline' },
  suspended: { backoff: 'suspended' },
  closed: 'closed',
  failed: 'failed',
} as const satisfies Record<string, Json>;

type StateName = keyof typeof STATES;
type Fields = Readonly<Record<string, unknown>>;

/** A log that is written by hand, at times in seconds after midnight. */
export class Story {
  readonly #chain = new Chain();
  readonly #service: string;
  readonly #connection: string;
  readonly #states: Map<string, StateName>;

  constructor(service = 'service', connection = 'chat:1', shared?: Story) {
    this.#service = service;
    this.#connection = connection;
    this.#states = new Map();
    if (shared) this.#chain = shared.#chain;
  }

  get lines(): string[] {
    return this.#chain.lines;
  }

  /** The same log, told of another connection. */
  of(service: string, connection: string): Story {
    return new Story(service, connection, this);
  }

  add(seconds: number, record: Fields & { kind: AuditRecord['kind'] }): this {
    this.#chain.add({ at: MIDNIGHT + Math.round(seconds * 1_000), mono: Math.round(seconds * 1_000), ...record });
    return this;
  }

  opened(seconds: number): this {
    return this.add(seconds, { kind: 'opened', run: 'a', level: 'messages', machines: {} });
  }

  started(seconds: number, fields: Fields = {}): this {
    this.#states.set('now', 'idle');
    const event = { type: 'xstate.init', input: { id: this.#connection } };
    return this.#record(seconds, { kind: 'started', event, to: 'idle', generation: 0, ...fields });
  }

  step(seconds: number, to: StateName, fields: Fields = {}): this {
    const from = STATES[this.#states.get('now') ?? 'idle'];
    this.#states.set('now', to);
    const { event = { type: 'go' }, ...others } = fields;
    return this.#record(seconds, { kind: 'step', from, to: STATES[to], event, ...others });
  }

  state(seconds: number, to: StateName, fields: Fields = {}): this {
    this.#states.set('now', to);
    return this.#record(seconds, { kind: 'state', to: STATES[to], context: {}, children: [], ...fields });
  }

  ended(seconds: number, kind: 'stopped' | 'died' = 'stopped'): this {
    const from = STATES[this.#states.get('now') ?? 'idle'];
    const how = kind === 'stopped' ? { status: 'stopped' } : { error: { name: 'TypeError' } };
    return this.#record(seconds, { kind, from, ...how });
  }

  counts(seconds: number, fields: Fields): this {
    const none = { accepted: 0, sent: 0, acknowledged: 0, dropped: 0, unknown: 0, waiting: 0, refused: 0, received: 0 };
    const whose = { service: this.#service, connection: this.#connection };
    return this.add(seconds, { kind: 'counts', ...whose, ...none, droppedBy: {}, ...fields });
  }

  fate(seconds: number, fields: Fields): this {
    const whose = { service: this.#service, connection: this.#connection };
    return this.add(seconds, { kind: 'fate', ...whose, direction: 'out', ...fields });
  }

  #record(seconds: number, fields: Fields & { kind: AuditRecord['kind'] }): this {
    const actor = `${this.#service}/group:1/connection:${this.#connection}`;
    return this.add(seconds, { actor, machine: 'connection@0123456789abcdef', ...fields });
  }
}

/** A failure as a record says it. */
export function failed(code: string, fields: Fields = {}): Fields {
  return {
    ...{ code, category: 'network_error', strategy: 'reconnect', retryAfterMs: 0, detail: null, closure: null },
    ...fields,
  };
}

/** The delay of a retry, as a record says it. */
export function retryIn(ms: number): Fields {
  return { delays: [{ event: 'xstate.after.retryDelay.connection.backoff.waiting', ms }] };
}

/** The time of a story, in ms since 1970. */
export function storyTime(seconds: number): number {
  return MIDNIGHT + seconds * 1_000;
}

/** The log of a real service: two drops, an attempt that fails, a close, and an end. */
export async function realStory(): Promise<string[]> {
  const r = rig({ services: { terminal: { url: 'wss://host/terminal' } } });
  const lines: string[] = [];
  const sink = { name: 'memory', append: (stored: readonly string[]) => void lines.push(...stored) };
  const log = createAuditLog({ sinks: [sink], clock: r.clock, level: 'messages', random: () => 0.5 });
  log.attach(r.service);
  const { id } = await r.open();
  void r.service.sendMessage(id, "it's said");
  await r.clock.advanceAsync(5_000);
  r.sockets.last.ends(1012, 'restart');
  await r.passBackoff();
  r.sockets.last.ends(1006);
  await r.settle();
  await r.reopen();
  await r.clock.advanceAsync(60_000);
  r.signals.send('network.offline');
  r.sockets.last.ends(1006);
  await r.settle();
  r.signals.send('network.online');
  await r.settle();
  await r.reopen();
  await r.clock.advanceAsync(1_000);
  void r.service.disconnect(id);
  await r.clock.advanceAsync(10_000);
  await r.destroy();
  const closed = log.close();
  await r.settle();
  await closed;
  return lines;
}
