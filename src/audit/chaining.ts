import { isObject, isText, isWhole } from '../core/rules.ts';
import { canonicalJson } from './canonical.ts';
import { hashedText, lineOf, readLine, START, type Head } from './chain.ts';
import { sha256 } from './digest.ts';
import { AUDIT_VERSION, type AuditRecord, type RemovedSegment } from './record.ts';
import type { Moment } from './recorder.ts';
import type { Signer } from './signature.ts';
import type { SinkTail } from './sink.ts';

type Kind = AuditRecord['kind'];
/** What a record of a kind says beside what every record does. */
export type Says<Of extends Kind> = Omit<Extract<AuditRecord, { kind: Of }>, 'kind' | keyof Moment | 'v'>;

/** A record that is of no actor, as canonical JSON. */
export function bodyOf<Of extends Kind>(kind: Of, says: Says<Of>, moment: Moment): string {
  return canonicalJson({ ...says, kind, v: AUDIT_VERSION, ...moment });
}

/** Links records to the chain of one sink, and keeps what its running segment has to know. */
export class Chaining {
  readonly #signer: Signer | undefined;
  readonly #now: () => Moment;
  // when it was made: its beginning is no later than what waits for it
  readonly #made: Moment;
  #head: Head = START;
  #segment = 1;
  #isSealed = false;

  constructor(signer: Signer | undefined, now: () => Moment) {
    this.#signer = signer;
    this.#now = now;
    this.#made = now();
  }

  /** How far it goes. */
  get head(): Head {
    return this.#head;
  }

  /**
   * Begins, or goes on where what is stored ends.
   *
   * @returns The first lines.
   * @throws {RangeError} For a tail that is no entry.
   */
  async begin(tail: SinkTail | null, opened: Says<'opened'>): Promise<string[]> {
    if (tail) {
      const { entry } = readLine(tail.line);
      if (!entry || !Number.isSafeInteger(tail.segment) || tail.segment < 1) {
        throw new RangeError('The last line that is stored is no entry of an audit log.');
      }
      this.#head = { seq: entry.seq, hash: entry.hash };
      this.#segment = tail.segment;
    } else this.#head = START;
    const torn = tail?.torn;
    // what waits was told to it before its sink was ready
    const body = bodyOf('opened', torn ? { ...opened, torn } : opened, this.#made);
    if (tail && !tail.isEnded) return [await this.#link(body)];
    const next = tail ? tail.segment + 1 : 1;
    // the very first record says what the log is
    const heading = this.#heading(next, this.#made);
    const bodies = tail ? [heading, body] : [body, heading];
    return this.link(bodies);
  }

  /** The lines of these records. */
  async link(bodies: readonly string[]): Promise<string[]> {
    const lines: string[] = [];
    for (const body of bodies) {
      const line = this.#link(body);
      lines.push(typeof line === 'string' ? line : await line);
    }
    return lines;
  }

  /** The seal of the segment so far; nothing where nobody signs, or where it is sealed already. */
  async seal(): Promise<string[]> {
    if (!this.#signer || this.#isSealed) return [];
    const { algorithm, key } = this.#signer;
    const segment = this.#segment;
    const signature = await this.#signer.sign(segment, this.#head.hash);
    const line = await this.#link(bodyOf('seal', { algorithm, key, segment, signature }, this.#now()));
    this.#isSealed = true;
    return [line];
  }

  /** The first lines of the next segment. What the sink says of removed ones is taken only if it is what it should be. */
  turn(removed: unknown): Promise<string[]> {
    const heading = this.#heading(this.#segment + 1);
    const isSaid = Array.isArray(removed) && removed.length > 0 && removed.every(isRemoved);
    return this.link(isSaid ? [heading, bodyOf('retention', { removed }, this.#now())] : [heading]);
  }

  #heading(segment: number, moment = this.#now()): string {
    this.#segment = segment;
    return bodyOf('segment', { segment }, moment);
  }

  #link(body: string): string | Promise<string> {
    const hashed = hashedText(this.#head, body);
    const hash = sha256(hashed);
    return typeof hash === 'string' ? this.#linked(hashed, hash) : hash.then((late) => this.#linked(hashed, late));
  }

  #linked(hashed: string, hash: string): string {
    this.#head = { seq: this.#head.seq + 1, hash };
    this.#isSealed = false;
    return lineOf(hashed, hash);
  }
}

function isRemoved(value: unknown): value is RemovedSegment {
  if (!isObject(value)) return false;
  const { segment, seq, hash } = value;
  return isWhole(segment, 1) && isWhole(seq, 0) && isText(hash);
}
