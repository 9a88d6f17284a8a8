import type { AuditFigures } from './audit.ts';
import { WIRES, type ServiceName } from './client.ts';
import { HURT_KINDS, HURTS, type HurtKind } from './hurts.ts';
import type { Course, Wound } from './scenario.ts';
import { KILL_KINDS, KILLS, type KillKind } from './kills.ts';
import { FLOW_NAMES, totalOf, type Flow, type FlowName, type Storm } from './storm.ts';
import type { Subject } from './subject.ts';
import { duration, median, table, wrapped, type Column } from './table.ts';

// beside their headings
const TEXT_WIDTH = 66;

/** Times to recover, in ms; `null` where there was nothing to recover from, or a service that did not. */
export interface Recovery {
  median: number | null;
  max: number | null;
}

/** The figures of one service. */
export interface ServiceFigures {
  drops: number;
  retries: number;
  recoveryMs: Recovery;
  wire: 'plain' | 'holdfast.v1';
  accepted: number;
  delivered: number;
  /** What receipts called accepted by the server's application; 0 on a plain wire. */
  acknowledged: number;
  dropped: Record<string, number>;
  unknown: number;
  /** How many were sent while the connection could not be used. */
  waited: number;
  echoed: number;
}

/** The figures of one way to hurt a server. */
export interface HurtFigures {
  times: number;
  /** The longest time from the hurt to the loss of the socket. */
  noticedMs: number | null;
  recoveryMs: Recovery;
  /** What was promised. */
  recoveryBoundMs: number;
  retries: number;
  /** How many handshakes were answered with an HTTP error. */
  refused: number;
  unknown: number;
}

/** The figures of the kills. */
export interface KillFigures {
  service: ServiceName;
  times: number;
  kinds: Storm['kills'];
  lastedMs: number;
  resumptions: number;
  freshStarts: number;
  recoveryMs: Recovery;
  flows: Record<FlowName, FlowFigures>;
}

export interface FlowFigures {
  sent: number;
  arrived: number;
  acknowledged: number;
  lost: number;
  repeated: number;
  overtaken: number;
}

export interface Figures {
  seed: number;
  audit: AuditFigures;
  elapsedMs: number;
  kills: KillFigures;
  services: Record<ServiceName, ServiceFigures>;
  hurts: Record<HurtKind, HurtFigures>;
}

/** The course of the demo in numbers. */
export function figuresOf(course: Course): Figures {
  const { subjects, wounds } = course;
  return {
    seed: course.storm.seed,
    audit: course.audit,
    elapsedMs: Math.round(course.elapsedMs),
    kills: killFigures(course.storm),
    services: Object.fromEntries(subjects.map((subject) => [subject.name, serviceFigures(subject, wounds)])) as Record<
      ServiceName,
      ServiceFigures
    >,
    hurts: Object.fromEntries(HURT_KINDS.map((kind) => [kind, hurtFigures(kind, course)])) as Record<
      HurtKind,
      HurtFigures
    >,
  };
}

/** The figures as tables, by stream, by service and by hurt, with what their headings mean. */
export function tablesOf({ kills, services, hurts }: Figures): string[] {
  return [
    ...table(
      columns(
        `${kills.service}, ${kills.times} kills`,
        'sent',
        'arrived',
        'acknowledged',
        'lost',
        'twice',
        'disordered',
      ),
      FLOW_NAMES.map((name) => flowRow(name, kills.flows[name])),
    ),
    '',
    ...table(
      columns('service', 'drops', 'retries', 'median', 'max', 'accepted', 'delivered', 'dropped', 'unknown'),
      Object.entries(services).map(([name, figures]) => serviceRow(name, figures)),
    ),
    '',
    ...table(
      columns('hurt', 'times', 'noticed', 'retries', 'median', 'max', 'allowed', 'unknown'),
      Object.entries(hurts).map(([kind, figures]) => hurtRow(kind, figures)),
    ),
    '',
    ...killLines(kills.kinds),
    'median, max  from when the server can serve again to a connection that works',
    `dropped      ${reasonsOf(services)}`,
    'unknown      terminal, main: handed to a socket that died before the server read',
    '             them: a plain wire, without acknowledgements, cannot tell more',
    '             chat: in doubt when the server died with its sessions, and told so',
  ];
}

function serviceFigures({ name, history, ledger }: Subject, wounds: readonly Wound[]): ServiceFigures {
  const { accepted, delivered, acknowledged, dropped, unknown, waited, echoed } = ledger.sums;
  return {
    wire: WIRES[name],
    drops: history.drops.length,
    retries: history.retries.length,
    recoveryMs: recoveryOf(wounds.filter((wound) => wound.name === name)),
    accepted,
    delivered,
    acknowledged,
    dropped,
    unknown,
    waited,
    echoed,
  };
}

function killFigures({ kills, lastedMs, resumptions, freshStarts, recoveriesMs, flows }: Storm): KillFigures {
  return {
    service: 'chat',
    times: totalOf(kills),
    kinds: kills,
    lastedMs: Math.round(lastedMs),
    resumptions,
    freshStarts,
    recoveryMs: spread(recoveriesMs),
    flows: Object.fromEntries(FLOW_NAMES.map((name) => [name, flowFigures(flows[name])])) as KillFigures['flows'],
  };
}

function flowFigures({ sent, arrived, acknowledged, lost, repeated, overtaken }: Flow): FlowFigures {
  return {
    sent,
    arrived,
    acknowledged,
    lost: lost.length,
    repeated: repeated.length,
    overtaken: overtaken.length,
  };
}

function hurtFigures(kind: HurtKind, { subjects, wounds }: Course): HurtFigures {
  const own = wounds.filter((wound) => wound.kind === kind);
  const unknown = own.map(({ name, generations: [hurt, healed] }) =>
    subjects.filter((subject) => subject.name === name).map(({ ledger }) => ledger.unknownBetween(hurt, healed)),
  );
  return {
    times: own.length,
    noticedMs: slowest(own.map(({ noticedMs }) => noticedMs)),
    recoveryMs: recoveryOf(own),
    recoveryBoundMs: HURTS[kind].openWithinMs,
    retries: sum(own.map(({ retries }) => retries.length)),
    refused: sum(own.map(({ handshakes }) => handshakes.filter(({ status }) => status !== 101).length)),
    unknown: sum(unknown.flat()),
  };
}

function reasonsOf(services: Figures['services']): string {
  const reasons = Object.entries(services).flatMap(([name, { dropped }]) =>
    Object.entries(dropped).map(([code, count]) => `${count} × ${code} (${name})`),
  );
  return reasons.length === 0 ? 'none' : reasons.join(', ');
}

function recoveryOf(wounds: readonly Wound[]): Recovery {
  return spread(wounds.map(({ recoveredMs }) => recoveredMs));
}

function spread(times: readonly (number | null)[]): Recovery {
  const middle = median(times.filter((time) => time !== null));
  return { median: middle === null ? null : Math.round(middle), max: slowest(times) };
}

// one that never came is slower than any
function slowest(times: readonly (number | null)[]): number | null {
  return times.length === 0 || times.includes(null) ? null : Math.round(Math.max(...times.map((time) => time ?? 0)));
}

function flowRow(name: string, figures: FlowFigures): string[] {
  const { sent, arrived, acknowledged, lost, repeated, overtaken } = figures;
  return [name, String(sent), String(arrived), String(acknowledged), ...[lost, repeated, overtaken].map(String)];
}

// under the tables, with what their headings mean
function killLines(kinds: KillFigures['kinds']): string[] {
  const isEarly = (kind: KillKind): boolean => KILLS[kind].isEarly;
  const listOf = (some: readonly KillKind[]): string => some.map((kind) => `${kinds[kind]} × ${kind}`).join(', ');
  const text =
    `of connections in use: ${listOf(KILL_KINDS.filter((kind) => !isEarly(kind)))}; ` +
    `of new ones: ${listOf(KILL_KINDS.filter(isEarly))}`;
  return wrapped(text, TEXT_WIDTH).map((line, index) => (index === 0 ? 'kills' : '').padEnd(13) + line);
}

function serviceRow(name: string, figures: ServiceFigures): string[] {
  const { drops, retries, recoveryMs, accepted, delivered, dropped, unknown } = figures;
  const counts = [accepted, delivered, sum(Object.values(dropped)), unknown].map(String);
  return [name, String(drops), String(retries), duration(recoveryMs.median), duration(recoveryMs.max), ...counts];
}

function hurtRow(kind: string, figures: HurtFigures): string[] {
  const { times, noticedMs, recoveryMs, recoveryBoundMs, retries, unknown } = figures;
  return [
    kind,
    String(times),
    duration(noticedMs),
    String(retries),
    duration(recoveryMs.median),
    duration(recoveryMs.max),
    duration(recoveryBoundMs),
    String(unknown),
  ];
}

function columns(first: string, ...others: readonly string[]): Column[] {
  return [{ heading: first, side: 'left' }, ...others.map((heading): Column => ({ heading, side: 'right' }))];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
