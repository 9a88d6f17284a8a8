import { checkOf, type Check } from './fields.ts';
import { FRAMES, type ClientFrame, type FrameFrom, type PlainBatch, type ServerFrame, type Side } from './frames.ts';
import { ProtocolViolation } from './violation.ts';

// the position of the first, the acknowledgement if any, and the list that follows; numbers as JSON writes them
const BATCH_HEAD = /^(0|[1-9]\d{0,15})(?:,(0|[1-9]\d{0,15}))?(?=\[)/;

const CHECKS: Record<Side, ReadonlyMap<string, Check>> = {
  server: checksOf(FRAMES.server),
  client: checksOf(FRAMES.client),
};

/**
 * Reads a text frame: the short form of a batch, `17[…]` or `17,4[…]`, or an object with its type at `t`.
 *
 * @throws {ProtocolViolation} For anything that PROTOCOL.md does not allow from this side.
 */
export function readText<From extends Side>(text: string, from: From): FrameFrom<From> {
  const head = BATCH_HEAD.exec(text);
  if (head) return readBatch(text, head);
  const value = parsed(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ProtocolViolation('a frame is neither a batch nor an object');
  const type: unknown = Object.hasOwn(value, 't') ? (value as { t: unknown }).t : undefined;
  if (typeof type !== 'string') throw new ProtocolViolation('a frame has no type');
  const check = CHECKS[from].get(type);
  if (check) return { t: type, ...check(value, type) } as FrameFrom<From>;
  if (Object.hasOwn(value, 'o') && (value as { o: unknown }).o === 1) return { t: 'unknown' };
  throw new ProtocolViolation(`a ${from} sends no frame of that type`);
}

/** Writes a frame as text. */
export function writeText(frame: ServerFrame | ClientFrame): string {
  return JSON.stringify(frame);
}

/** Writes a batch in its short form, from payloads that are JSON text already. `ack` is the position acknowledged, if any. */
export function writeBatch(first: number, payloads: readonly string[], ack?: number): string {
  return `${first}${ack === undefined ? '' : `,${ack}`}[${payloads.join(',')}]`;
}

function readBatch(text: string, [head, first, ack]: RegExpExecArray): PlainBatch {
  const payloads = parsed(text.slice(head.length));
  if (!Array.isArray(payloads) || payloads.length === 0) throw new ProtocolViolation('a batch has nothing in it');
  const batch: PlainBatch = { t: 'batch', s: position(first, 1), d: payloads };
  if (ack !== undefined) batch.a = position(ack, 0);
  return batch;
}

function position(digits: string | undefined, least: number): number {
  const value = Number(digits);
  if (!Number.isSafeInteger(value) || value < least) throw new ProtocolViolation('a batch begins with no position');
  return value;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // the platform's message quotes what it could not read, and with it whatever secret is in there
    throw new ProtocolViolation('a frame is no JSON');
  }
}

function checksOf(table: Record<string, Parameters<typeof checkOf>[0]>): ReadonlyMap<string, Check> {
  return new Map(Object.entries(table).map(([type, fields]) => [type, checkOf(fields)]));
}
