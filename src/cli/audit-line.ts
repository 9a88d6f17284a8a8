import type { AuditEntry } from '../audit/index.ts';
import { wrap } from './report.ts';
import { plainText } from './secrecy.ts';
import { counted } from './step.ts';
import type { Terminal } from './terminal.ts';

type Fields = Readonly<Record<string, unknown>>;

const MIN_WIDTH = 30;
const INDENT = 2;
// of more nobody reads on a terminal
const MAX_TEXT = 2_000;
const MAX_DEPTH = 16;
const COUNTS = ['accepted', 'sent', 'acknowledged', 'dropped', 'unknown', 'waiting'] as const;

/** A record for people: number, time, who, what it is, from where to where, by what, and what was done. In a pipe it is one line, whatever its length. */
export function recordText(
  { seq, record }: AuditEntry,
  { width, isPiped }: Pick<Terminal, 'width' | 'isPiped'>,
): string {
  const fields = record as unknown as Fields;
  const { at, kind, actor, effects } = fields;
  const who = stringOf(actor ?? fields['connection']);
  const parts = [
    `${seq} ${timeText(at)}`,
    isPiped ? who : shortActor(who),
    // its arrow says so
    kind === 'step' ? '' : String(kind),
    statesText(fields),
    ...(DETAILS[stringOf(kind)]?.(fields) ?? []),
    eventText(fieldsOf(fields['event'])),
    Array.isArray(effects) && effects.length > 0 ? `[${effects.map(stringOf).join(', ')}]` : '',
  ];
  const text = parts.filter(Boolean).join('  ');
  return isPiped ? plainText(text, Infinity) : folded(plainText(text, MAX_TEXT), Math.max(width, MIN_WIDTH));
}

/** What a record says beside actor, states and event, by its kind. */
const DETAILS: Readonly<Partial<Record<string, (fields: Fields) => string[]>>> = {
  opened: ({ run, torn }) => [
    `run ${stringOf(run)}`,
    ...(torn === undefined ? [] : [`${countOf(torn, 'byte')} torn off`]),
  ],
  segment: ({ segment }) => [stringOf(segment)],
  seal: ({ key }) => [`key ${stringOf(key)}`],
  retention: ({ removed }) => [`${countOf(Array.isArray(removed) ? removed.length : 0, 'segment')} removed`],
  gap: ({ lost }) => [`${countOf(lost, 'record')} lost`],
  checkpoint: ({ of, seq }) => [`of ${stringOf(of)}, record ${stringOf(seq)}`],
  attached: ({ service }) => [stringOf(service)],
  detached: ({ service }) => [stringOf(service)],
  stopped: ({ status }) => [status === 'done' ? 'done' : ''],
  died: ({ error }) => [stringOf(fieldsOf(error)['name'])],
  counts: (fields) => [COUNTS.map((name) => `${stringOf(fields[name])} ${name}`).join(', ')],
  fate: ({ direction, id, fate, because, bytes }) => [
    [direction, id, fate].map(stringOf).filter(Boolean).join(' '),
    stringOf(because),
    bytes === undefined ? '' : countOf(bytes, 'byte'),
  ],
};

function eventText({ type, failure }: Fields): string {
  if (typeof type !== 'string') return '';
  const { code, closure } = fieldsOf(failure);
  const reasons = type === 'socket.closed' ? [code, fieldsOf(closure)['code']].map(stringOf).filter(Boolean) : [];
  return `on ${type}${reasons.length > 0 ? ` (${reasons.join(', ')})` : ''}`;
}

function statesText({ from, to }: Fields): string {
  return [from, to]
    .filter((state) => state !== undefined)
    .map((state) => stateText(state))
    .join(' → ');
}

/** `live.linked.established.open`; of parallel states `grade.graded.good + heartbeat.idle`. */
function stateText(state: unknown, path: readonly string[] = []): string {
  const regions = Object.entries(fieldsOf(state));
  if (regions.length === 0 || path.length === MAX_DEPTH) return [...path, stringOf(state)].filter(Boolean).join('.');
  return regions.map(([name, inner]) => stateText(inner, [...path, name])).join(' + ');
}

/** From the connection on, or else from the last name with an id. */
function shortActor(actor: string): string {
  return actor.replace(/^.*?\/(?=connection:)|^.*\/(?=[^/]*:)/s, '…/');
}

function folded(text: string, width: number): string {
  const [first = '', ...rest] = wrap(text, width);
  if (rest.length === 0) return first;
  const below = wrap(text.slice(first.length).trimStart(), width - INDENT);
  return [first.trimEnd(), ...below.map((line) => `${' '.repeat(INDENT)}${line.trim()}`)].join('\n');
}

function timeText(at: unknown): string {
  const time = new Date(typeof at === 'number' ? at : Number.NaN);
  return Number.isNaN(time.getTime()) ? 'no time' : time.toISOString();
}

function countOf(value: unknown, noun: string): string {
  return typeof value === 'number' ? counted(value, noun) : `? ${noun}s`;
}

// whoever can write the log may have written anything
function stringOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
