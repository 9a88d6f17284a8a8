/** Which instrument of OpenTelemetry a metric is; an `upDownCounter` is a number that can be added up over services and processes, a `gauge` one that cannot. */
export type InstrumentKind = 'counter' | 'upDownCounter' | 'gauge' | 'histogram';

/** One metric, in the terms of OpenTelemetry, from which its name for Prometheus follows. */
export interface Definition {
  readonly kind: InstrumentKind;
  readonly name: string;
  /** Source: UCUM, with what is counted in braces. */
  readonly unit: string;
  readonly help: string;
  /** What its series are told apart by, beside `service`: few values, none of which a user or a peer can make up. */
  readonly labels: readonly string[];
  /** Upper bounds of its buckets, each included. */
  readonly bounds?: readonly number[];
}

/** Every metric, in the order in which they are written. */
export const CATALOG = {
  connections: {
    kind: 'upDownCounter',
    name: 'holdfast.connections',
    unit: '{connection}',
    help: 'Connections that are known at present, by the state they are in.',
    labels: ['state'],
  },
  transitions: {
    kind: 'counter',
    name: 'holdfast.transitions',
    unit: '{transition}',
    help: 'Changes of the state of a connection.',
    labels: ['from', 'to'],
  },
  reconnects: {
    kind: 'counter',
    name: 'holdfast.reconnects',
    unit: '{reconnect}',
    help: 'Connections that opened again, by the code of the error that had ended them; none where nothing had failed.',
    labels: ['reason'],
  },
  errors: {
    kind: 'counter',
    name: 'holdfast.errors',
    unit: '{error}',
    help: 'Failed attempts, lost connections, failed providers and messages that could not be read, by error code.',
    labels: ['reason'],
  },
  connectDuration: {
    kind: 'histogram',
    name: 'holdfast.connect.duration',
    unit: 's',
    help: 'How long it took a connection to get from connecting to open. Waits between attempts are not part of it.',
    labels: [],
    bounds: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
  rtt: {
    kind: 'histogram',
    name: 'holdfast.rtt',
    unit: 's',
    help: 'Round trips that were measured, from a ping to its pong.',
    labels: [],
    bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  messages: {
    kind: 'counter',
    name: 'holdfast.messages',
    unit: '{message}',
    help: 'Messages that were handed to a socket (out) or came from one (in).',
    labels: ['direction'],
  },
  io: {
    kind: 'counter',
    name: 'holdfast.io',
    unit: 'By',
    help: 'Bytes of those messages as they are encoded, without what the WebSocket itself adds.',
    labels: ['direction'],
  },
  outboxMessages: {
    kind: 'upDownCounter',
    name: 'holdfast.outbox.messages',
    unit: '{message}',
    help: 'Messages that wait in a queue, are in the buffer of a socket, or are not acknowledged yet.',
    labels: [],
  },
  droppedMessages: {
    kind: 'counter',
    name: 'holdfast.dropped.messages',
    unit: '{message}',
    help: 'Messages that were accepted and not sent, by error code.',
    labels: ['reason'],
  },
  health: {
    kind: 'gauge',
    name: 'holdfast.health',
    unit: '1',
    help: 'The mean health of those connections of which it is known, from 0 to 1.',
    labels: [],
  },
  healthConnections: {
    kind: 'upDownCounter',
    name: 'holdfast.health.connections',
    unit: '{connection}',
    help: 'Connections that are known at present, by the grade of their health.',
    labels: ['grade'],
  },
} as const satisfies Record<string, Definition>;

/** A metric, by the name that it has in the catalog. */
export type MetricKey = keyof typeof CATALOG;
/** The metrics of this kind. */
export type KeyOf<Kind extends InstrumentKind> = {
  [Key in MetricKey]: (typeof CATALOG)[Key]['kind'] extends Kind ? Key : never;
}[MetricKey];
/** Metrics that are counted or read as they are. */
export type PlainKey = KeyOf<'counter' | 'upDownCounter' | 'gauge'>;
/** Metrics of which each measurement goes into a bucket. */
export type HistogramKey = KeyOf<'histogram'>;

export const METRIC_KEYS = Object.keys(CATALOG) as readonly MetricKey[];

const UNIT_SUFFIXES: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' };

/**
 * The name that a metric has for Prometheus: the one that follows from OpenTelemetry's rules, so that a dashboard serves both.
 * Source: OpenTelemetry, Prometheus and OpenMetrics Compatibility, "OTLP metric points to Prometheus".
 */
export function prometheusName({ name, unit, kind }: Definition): string {
  const suffix = unit === '1' && kind === 'gauge' ? '_ratio' : (UNIT_SUFFIXES[unit] ?? '');
  return `${name.replaceAll('.', '_')}${suffix}${kind === 'counter' ? '_total' : ''}`;
}
