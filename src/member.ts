import { nameFrom } from './core/chance.ts';
import type { RequestFacts } from './endpoint.ts';
import type { Emit, SettledEvent, UndeliveredEvent } from './events.ts';
import { errorOf } from './failures.ts';
import { Connection } from './handle.ts';
import type { ConnectionHost } from './host.ts';
import { Monitor } from './monitor.ts';
import type { OutboundMessage } from './message.ts';
import type { ConnectOptions, DisconnectOptions } from './options.ts';
import type { Carrier, Pool } from './pool.ts';
import { Ports, type PortsOptions } from './ports.ts';
import { carrierOf, type ServiceSettings } from './settings.ts';

/** A connection as its service holds it. */
export interface Member {
  connection: Connection;
  ports: Ports;
  /** The pool that it is a channel of. */
  shares: Pool | undefined;
  /** The pool that it is there for. */
  carries: Pool | undefined;
  /** What tells apart two wishes for the same id. */
  wish: string;
  /** Where its chance begins. */
  seed: number;
  settings: () => ServiceSettings;
  /** What is measured of it; `undefined` while health is not monitored. */
  monitor: () => Monitor | undefined;
  /** What its providers are told of it. */
  facts: () => Omit<RequestFacts, 'attemptId'>;
}

/** What a connection needs of its service. */
export interface MemberHost extends Pick<
  PortsOptions,
  'clock' | 'webSocket' | 'memory' | 'dials' | 'report' | 'queueing'
> {
  /** All connections of the service, by their ids. */
  members: ReadonlyMap<string, Member>;
  /** How connections of a type behave, whenever it is asked: for each message, so it costs nothing. `as`: how one of them differs. */
  settings(serviceType: string, as?: (settings: ServiceSettings) => ServiceSettings): () => ServiceSettings;
  /** The pool of that name, for a service of this type. */
  pool(name: string, serviceType: string): Pool;
  emitter: {
    emit: ConnectionHost['emit'];
    has(type: 'message' | 'settled'): boolean;
  };
  tellUndelivered(event: UndeliveredEvent): void;
  /** Whether health is measured at present. */
  isMonitored(): boolean;
  /** How far back health is remembered, in ms. */
  healthWindowMs(): number;
  actor(member: Member): ReturnType<ConnectionHost['actor']>;
  /** It asks to be opened. @throws {ConfigurationError} `CONNECTION_LIMIT` */
  admit(member: Member): void;
  changed(member: Member): void;
}

export interface MemberOptions {
  id: string;
  wish: string;
  options: Pick<ConnectOptions, 'serviceType' | 'terminalId' | 'sessionId' | 'params'>;
  /** Three numbers in [0, 1): two for its name, one for the seed of its delays. */
  draws: readonly [number, number];
  seed: number;
  /** What it carries, if it is there for others. */
  carries?: Pool | undefined;
}

/** The connection of this id as the one that carries a pool: made when it is needed, and again once it was forgotten. */
export function carrierAmong(members: ReadonlyMap<string, Member>, id: string, make: () => Member): Carrier {
  const stands = (states: readonly string[]): boolean => {
    const member = members.get(id);
    return member !== undefined && states.includes(member.connection.status.state);
  };
  const isUnderWay = (): boolean => stands(['connecting', 'open', 'degraded', 'backoff']);
  return {
    connect: () => {
      if (!isUnderWay()) void (members.get(id) ?? make()).connection.connect();
    },
    // in the middle of a loss it may not be known yet that it is about to wait
    hurry: () => {
      if (isUnderWay()) void members.get(id)?.connection.connect();
    },
    vacate: () => {
      members.get(id)?.ports.outbox.acknowledged([]);
    },
    ping: (answered) => members.get(id)?.ports.ping(answered) === true,
    release: () => {
      if (!stands(['closed', 'failed'])) void members.get(id)?.connection.close();
    },
  };
}

/** Makes a connection and what it acts upon. Nothing is opened. */
export function makeMember({ id, wish, options, draws, seed, carries }: MemberOptions, host: MemberHost): Member {
  const { serviceType, terminalId, sessionId, params = {} } = options;
  const source = { connectionId: id, serviceType };
  const settings = host.settings(serviceType, carries && carrierOf);
  const { emitter, clock, webSocket, memory, dials, report, queueing } = host;
  let measured: Monitor | undefined;
  let isMeasured = false;
  const monitor = (): Monitor | undefined => {
    // asked for each message: nothing is looked up by name
    const isMonitored = host.isMonitored();
    const begins = isMonitored && !isMeasured;
    isMeasured = isMonitored;
    if (!isMonitored) return undefined;
    measured ??= new Monitor({
      source,
      clock,
      limits: () => ({ slowMs: settings().slowMs, ...settings().queue }),
      windowMs: host.healthWindowMs(),
      load: () => ports.outbox.load,
      received: () => ports.inbox.received,
      lastError: () => connection.status.lastError,
      emit: emitter.emit,
    });
    // it has not heard of what went before
    if (begins) measured.stands(connection.status.state);
    return measured;
  };
  // whoever measures hears of it last
  const emit: Emit = (type, event) => {
    emitter.emit(type, event);
    monitor()?.noted(type, event);
  };
  const { pool: poolName } = settings();
  const shares = poolName === undefined ? undefined : host.pool(poolName, serviceType);
  const name = nameFrom(...draws);
  let names = 0;
  const facts = (): Omit<RequestFacts, 'attemptId'> => {
    const { attempt, lastError } = connection.status;
    return { ...source, terminalId, sessionId, params, attempt, lastFailure: lastError ?? undefined };
  };
  const ports = new Ports({
    settings,
    carries,
    shares,
    facts,
    freshId: () => `${name}-${++names}`,
    failed: (failed, cause) => {
      const { generation, attempt } = connection.status;
      // once the server has closed there is a retry, which asks again
      const retryable = failed.strategy !== 'manual';
      emit('error', errorOf(failed, { ...source, generation, attempt, retryable, cause }));
    },
    undecodable: (error) => {
      emit('error', error);
    },
    monitor,
    roundTrip: (rttMs) => {
      // theirs is the same link
      for (const other of carries ? sharers(host.members, carries) : []) other.ports.measured(rttMs);
    },
    undelivered: (messageId, error) => {
      monitor()?.undelivered(error);
      host.tellUndelivered({ ...source, messageId, error });
    },
    fated: (message, fate, error) => {
      // one closure for each message is too much for nobody
      if (emitter.has('settled'))
        tellSettled(emitter, {
          connectionId: id,
          serviceType,
          messageId: message.id,
          fate,
          error,
          ...payloadOf(message),
        });
    },
    deliver: (data, meta) => {
      // most applications listen to the connection: no event is made for nobody
      if (emitter.has('message'))
        emitter.emit('message', { connectionId: id, serviceType, data, ...(meta && { meta }) });
    },
    ...{ clock, webSocket, memory, dials, report, queueing },
    ...source,
  });
  const connection: Connection = new Connection(source, ports, {
    clock,
    emit,
    monitor,
    settings,
    actor: () => host.actor(member),
    admit: () => {
      host.admit(member);
    },
    opening: () => shares?.hurry(),
    closing: (closeOptions) => {
      // whoever is about to use a pool that nobody uses gets another socket
      if (carries && carries.size > 0) closeSharers(host.members, carries, closeOptions);
    },
    changed: () => {
      host.changed(member);
    },
  });
  const member: Member = { connection, ports, shares, carries, wish, seed, settings, monitor, facts };
  return member;
}

// a message can find its end in the middle of an actor's turn
function tellSettled({ emit }: Pick<MemberHost['emitter'], 'emit'>, event: SettledEvent): void {
  queueMicrotask(() => {
    emit('settled', event);
  });
}

function payloadOf({ bytes, data }: OutboundMessage): Pick<SettledEvent, 'bytes' | 'data'> {
  // what shares its memory with other messages is not handed out
  const isShared = typeof data !== 'string' && data.length < data.buffer.byteLength;
  return { bytes, data: isShared ? data.slice() : data };
}

function closeSharers(members: MemberHost['members'], pool: Pool, options: DisconnectOptions): void {
  for (const { connection } of sharers(members, pool)) {
    const isUsed = !['idle', 'closed', 'failed'].includes(connection.status.state);
    if (isUsed) void connection.close(options);
  }
}

function sharers(members: MemberHost['members'], pool: Pool): Member[] {
  return [...members.values()].filter(({ shares }) => shares === pool);
}
