import { expect, onTestFinished } from 'vitest';

import type { HoldfastError } from '../../src/errors.ts';
import type { ServiceEvents } from '../../src/events.ts';
import type { Connection } from '../../src/handle.ts';
import type { ConnectOptions, EnhancedWebSocketOptions, ServiceOptions } from '../../src/options.ts';
import { EnhancedWebSocketService } from '../../src/service.ts';
import type { ConnectionStatus } from '../../src/status.ts';
import type { Signal, SignalSource } from '../../src/transport/signals.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { rehearsed } from './rehearsed.ts';
import { browserSockets, type FakeSocket, type FakeSockets } from './fake-socket.ts';

export const TERMINAL: ConnectOptions = { serviceType: 'terminal', terminalId: 'one' };

const EVENT_TYPES = [
  'opened',
  'discontinuity',
  'closed',
  'retrying',
  'gaveUp',
  'escalated',
  'status',
  'flow',
  'overflowed',
  'health',
  'roundTrip',
  'undelivered',
  'message',
  'error',
] as const;
// enough turns of the microtask queue for a promise that resolves through a few others
const DRAIN_TURNS = 20;

/** Signals that the test gives. */
export class ManualSignals implements SignalSource {
  readonly #reports = new Set<(signal: Signal) => void>();

  get subscribers(): number {
    return this.#reports.size;
  }

  subscribe(report: (signal: Signal) => void): () => void {
    this.#reports.add(report);
    return () => {
      this.#reports.delete(report);
    };
  }

  send(signal: Signal): void {
    for (const report of [...this.#reports]) report(signal);
  }
}

export interface RigOptions extends Omit<Partial<EnhancedWebSocketOptions>, 'clock' | 'onError'> {
  clock?: SimulatedClock;
  /** Options of the service type `terminal`, beside its URL. */
  terminal?: Partial<ServiceOptions>;
  /** `null` for none at all; by default what it hears is kept in `bugs`. */
  onError?: NonNullable<EnhancedWebSocketOptions['onError']> | null;
}

export type RecordedEvent = {
  [Type in keyof ServiceEvents]: { type: Type; event: ServiceEvents[Type] };
}[keyof ServiceEvents];

/** The same services, whose links are first probed after an interval: most tests have peers that answer nothing of themselves. */
function unprompted(services: Record<string, ServiceOptions>): Record<string, ServiceOptions> {
  const of = ({ heartbeat, ...service }: ServiceOptions): ServiceOptions => ({
    ...service,
    heartbeat: heartbeat === false ? false : { promptMs: 2 ** 31 - 1, ...heartbeat },
  });
  return Object.fromEntries(Object.entries(services).map(([type, service]) => [type, of(service)]));
}

/** A service with sockets, time, chance and signals of the test, and a record of what it says. */
export class Rig<Socket extends FakeSocket = FakeSocket> {
  readonly sockets: FakeSockets<Socket>;
  readonly clock: SimulatedClock;
  readonly signals = new ManualSignals();
  readonly events: RecordedEvent[] = [];
  /** What `onError` heard. */
  readonly bugs: HoldfastError[] = [];
  readonly service: EnhancedWebSocketService;

  constructor(
    sockets: FakeSockets<Socket>,
    { terminal, onError, clock = new SimulatedClock(), ...options }: RigOptions,
  ) {
    this.clock = clock;
    this.sockets = sockets;
    const hear = onError === undefined ? (error: HoldfastError) => this.bugs.push(error) : onError;
    this.service = new EnhancedWebSocketService({
      WebSocket: sockets.WebSocket,
      clock,
      signals: this.signals,
      random: () => 0.5,
      ...options,
      services: unprompted(
        options.services ?? {
          terminal: { url: 'wss://host/terminal', ...terminal },
          chat: { url: 'wss://host/chat' },
        },
      ),
      ...(hear && { onError: hear }),
    });
    // whatever a test does to it, its machines must do the same again
    const divergences = rehearsed(this.service);
    onTestFinished(() => {
      expect(divergences()).toEqual([]);
    });
    for (const type of EVENT_TYPES) {
      this.service.on(type, (event) => this.events.push({ type, event } as RecordedEvent));
    }
  }

  /** Lets everything happen that takes no time. */
  async settle(): Promise<void> {
    await this.clock.advanceAsync(0);
  }

  /** Connects, and lets the newest socket open. */
  async open(wish: ConnectOptions = TERMINAL): Promise<{ id: string; socket: Socket; connection: Connection }> {
    const opened = this.service.connect(wish);
    await this.settle();
    this.sockets.last.opens();
    const id = await opened;
    await this.settle();
    return { id, socket: this.sockets.last, connection: this.service.connection(id) };
  }

  /** Lets the wait of a connection in backoff pass, and lets the next socket open. */
  async reopen(id = 'terminal:one'): Promise<Socket> {
    await this.passBackoff(id);
    this.sockets.last.opens();
    await this.settle();
    return this.sockets.last;
  }

  async passBackoff(id = 'terminal:one'): Promise<void> {
    const { retryAt } = this.status(id);
    if (retryAt === null) throw new Error(`${id} has no retry pending.`);
    await this.clock.advanceAsync(retryAt - this.clock.now());
  }

  /** Ends the service, cutting what is open. */
  async destroy(): Promise<void> {
    const destroyed = this.service.destroy({ deadlineMs: 0 });
    await this.settle();
    await destroyed;
  }

  status(id = 'terminal:one'): ConnectionStatus {
    const status = this.service.getConnectionStatus(id);
    if (!status) throw new Error(`${id} is not known.`);
    return status;
  }

  state(id = 'terminal:one'): string {
    return this.status(id).state;
  }

  /** The recorded events of one type. */
  of<Type extends keyof ServiceEvents>(type: Type): ServiceEvents[Type][] {
    return this.events.filter((entry) => entry.type === type).map(({ event }) => event as ServiceEvents[Type]);
  }

  /** What is left of the service, after every socket that was told to close has closed. */
  leftovers(): { timers: number; sockets: number; listeners: number; subscribers: number } {
    const sockets = this.sockets.live.length;
    this.sockets.finish();
    return {
      timers: this.clock.pending(),
      sockets,
      listeners: this.sockets.listenersLeft,
      subscribers: this.signals.subscribers,
    };
  }
}

export const NOTHING_LEFT = { timers: 0, sockets: 0, listeners: 0, subscribers: 0 };

export function rig(options: RigOptions = {}): Rig {
  return new Rig(browserSockets(), options);
}

/** What has become of a promise so far. */
export interface Fate<Value> {
  kind: 'pending' | 'resolved' | 'rejected';
  value?: Value;
  error?: unknown;
}

export function fateOf<Value>(promise: Promise<Value>): Fate<Value> {
  const fate: Fate<Value> = { kind: 'pending' };
  promise.then(
    (value) => Object.assign(fate, { kind: 'resolved', value }),
    (error: unknown) => Object.assign(fate, { kind: 'rejected', error }),
  );
  return fate;
}

/** Lets promises settle, and no timer fire. */
export async function microtasks(): Promise<void> {
  for (let turn = 0; turn < DRAIN_TURNS; turn++) await Promise.resolve();
}

/** A promise that the test settles. */
export function deferred<Value>(): {
  promise: Promise<Value>;
  resolve(value: Value): void;
  reject(error: Error): void;
} {
  let settle: { resolve(value: Value): void; reject(error: Error): void } | undefined;
  const promise = new Promise<Value>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, resolve: (value) => settle?.resolve(value), reject: (error) => settle?.reject(error) };
}
