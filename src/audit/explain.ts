import { check, must, object, oneOf, positive, required, text } from '../core/rules.ts';
import type { AuditEntry } from './chain.ts';
import { BETWEEN_RUNS } from './chronicle.ts';
import { readMachineName } from './definitions.ts';
import type { Death, Explanation, Question } from './explanation.ts';
import { fieldsOf, numberOf, textOf, timeOf } from './facts.ts';
import { Life } from './life.ts';
import type { Instant } from './moments.ts';
import { narrated } from './narration.ts';
import type { ActorRecordBase, AuditRecord, CountsRecord, FateRecord } from './record.ts';
import { readingsOf, sourceRule, type AuditSource } from './source.ts';
import { WorldStates } from './states.ts';

export interface ExplainOptions {
  /** @default 'summary' */
  question?: Question;
  /** The id of the only connection to tell of. @default all */
  connection?: string;
  /** What is asked about, in ms since 1970. @default all of it */
  from?: number;
  to?: number;
  /** The moment asked about instead, in ms since 1970: how was each connection then, since when, and why. */
  at?: number;
  /** Of how many outages of each connection the `lines` of a summary tell: of the last ones. @default 10 */
  most?: number;
}

const QUESTIONS = ['summary', 'disconnects', 'downtime', 'losses'] as const satisfies readonly Question[];
const MOST_CONNECTIONS = 1_000;
const MOST_DEATHS = 100;
const MOST_INTERRUPTIONS = 10;

const time = must('a time in ms since 1970', (value) => timeOf(value) !== null);
const rule = object(
  {
    source: required(sourceRule),
    question: oneOf(QUESTIONS),
    connection: text,
    from: time,
    to: time,
    at: time,
    most: positive,
  },
  (value) => {
    const { from, to, at } = value as ExplainOptions;
    if (at !== undefined && (from !== undefined || to !== undefined)) return ['at: goes with neither from nor to'];
    return from !== undefined && to !== undefined && from > to ? ['to: must not be before from'] : [];
  },
);

/**
 * Explains a log: when each connection was lost, why, what was done about it, how long that took, and what it has cost. It answers from the records alone, and whether they are genuine is another
 * question: see {@link verify}. What is no record is passed over. Memory is bounded whatever the length, by the number of connections.
 *
 * @param source As for {@link verify}.
 * @throws {ConfigurationError} `INVALID_OPTIONS`.
 */
export async function explain(source: AuditSource, options: ExplainOptions = {}): Promise<Explanation> {
  check(rule, { ...options, source });
  const account = new Account(options);
  for await (const readings of readingsOf(source)) {
    for (const { entry } of readings) {
      if (entry) account.take(entry);
      else account.unread += 1;
    }
  }
  return account.explanation;
}

/** What a log says so far. */
class Account {
  unread = 0;
  readonly #options: ExplainOptions;
  readonly #until: number;
  readonly #states = new WorldStates();
  readonly #lives = new Map<string, Life>();
  readonly #gaps: Explanation['gaps'] = { times: 0, records: 0, first: null, last: null };
  readonly #deaths: Death[] = [];
  #died = 0;
  #passedOver = 0;
  #records = 0;
  #first: number | null = null;
  #latest = -Infinity;
  #last: Instant = { at: 0, mono: null, run: 0 };
  #isClosed = false;
  #hasEnded = false;
  readonly #interruptions: Explanation['interruptions'] = { times: 0, last: [] };
  /** Whether something lies after the time asked about. */
  #goesOn = false;

  constructor(options: ExplainOptions) {
    this.#options = options;
    this.#until = options.at ?? options.to ?? Infinity;
  }

  take({ record }: AuditEntry): void {
    const at = timeOf(record.at) ?? this.#last.at;
    const isNew = record.kind === 'opened';
    if (isNew && !this.#goesOn) this.#endRun(at);
    if (at > this.#until) {
      this.#goesOn = true;
      return;
    }
    this.#last = { at, mono: numberOf(record.mono), run: this.#last.run + (isNew ? 1 : 0) };
    this.#first ??= at;
    if ('actor' in record) {
      this.#first = Math.min(this.#first, at);
      this.#latest = Math.max(this.#latest, at);
    }
    this.#records += 1;
    this.#hasEnded = record.kind === 'closed' || (this.#hasEnded && BETWEEN_RUNS.has(record.kind));
    this.#isClosed = record.kind === 'closed' || (record.kind === 'seal' && this.#isClosed);
    this.#heed(record, this.#last);
  }

  get explanation(): Explanation {
    const { question = 'summary', at = null, from = null, to = null } = this.#options;
    const end = this.#goesOn ? { at: this.#until, mono: null, run: -1 } : this.#last;
    const account: Explanation = {
      ...{ question, at, from, to },
      records: this.#records,
      unread: this.unread,
      first: this.#first,
      last: this.#first === null ? null : Math.max(this.#latest, this.#last.at),
      runs: this.#last.run,
      isClosed: this.#isClosed,
      gaps: this.#gaps,
      interruptions: this.#interruptions,
      died: this.#died,
      deaths: this.#deaths,
      connections: [...this.#lives.values()].map((life) => life.account(end)),
      passedOver: this.#passedOver,
      lines: [],
    };
    return { ...account, lines: narrated(account, this.#options.most) };
  }

  #heed(record: AuditRecord, at: Instant): void {
    switch (record.kind) {
      case 'started':
      case 'state':
      case 'step':
      case 'stopped':
      case 'died':
        this.#actor(record, at);
        break;
      case 'counts':
      case 'fate':
        this.#message(record, at.at);
        break;
      case 'gap':
        this.#gap(record.lost, Math.min(timeOf(record.since) ?? at.at, at.at));
        break;
      case 'detached':
        this.#endAll(at, record.service);
        break;
      default:
    }
  }

  #actor(record: ActorRecord, at: Instant): void {
    const place = placeOf(record.actor);
    if (record.kind === 'died') this.#noteDeath(record.actor, record.error, at.at);
    const machine = typeof record.machine === 'string' ? readMachineName(record.machine).id : '';
    if (!place || (machine !== 'connection' && machine !== 'health')) return;
    const life = this.#lifeOf(place.service, place.connection);
    if (!life) return;
    if (machine === 'health') {
      if ('to' in record) life.health(record.to, at);
      return;
    }
    switch (record.kind) {
      case 'started':
        life.started(record, at);
        break;
      case 'state':
        life.pose(record, at);
        break;
      case 'step':
        life.step(record, at);
        break;
      case 'stopped':
        life.ended('stopped', at);
        break;
      case 'died':
        life.died(at);
        break;
    }
  }

  #message(record: CountsRecord | FateRecord, at: number): void {
    const [service, connection] = [textOf(record.service), textOf(record.connection)];
    const life = service === null || connection === null ? null : this.#lifeOf(service, connection);
    if (!life) return;
    if (record.kind === 'fate') life.tally.fate(record, at);
    else {
      life.tally.count(record, at);
      life.counted();
    }
  }

  #gap(lost: unknown, since: number): void {
    this.#gaps.times += 1;
    this.#gaps.records += numberOf(lost) ?? 0;
    this.#gaps.first ??= since;
    this.#gaps.last = this.#last.at;
    for (const life of this.#lives.values()) life.gap({ at: since, mono: null, run: this.#last.run });
  }

  #noteDeath(actor: unknown, error: unknown, at: number): void {
    this.#died += 1;
    if (this.#deaths.length >= MOST_DEATHS) return;
    this.#deaths.push({ at, actor: textOf(actor) ?? '', error: textOf(fieldsOf(error)['name']) });
  }

  // one that was not ended has ended when it said its last: what it did until another began is not known
  #endRun(before: number): void {
    const { from = null } = this.#options;
    const isKilled = this.#records > 0 && !this.#hasEnded;
    if (!isKilled && before > this.#until) return;
    this.#endAll(this.#last);
    if (!isKilled || (from !== null && before < from)) return;
    this.#interruptions.times += 1;
    if (this.#interruptions.last.length >= MOST_INTERRUPTIONS) this.#interruptions.last.shift();
    this.#interruptions.last.push({ after: this.#last.at, before });
  }

  #endAll(at: Instant, service?: unknown): void {
    for (const [key, life] of this.#lives)
      if (service === undefined || key.startsWith(`${JSON.stringify(service)} `)) life.ended('unrecorded', at);
  }

  #lifeOf(service: string, connection: string): Life | null {
    const { connection: wanted, from = null } = this.#options;
    if (wanted !== undefined && wanted !== connection) return null;
    const key = `${JSON.stringify(service)} ${connection}`;
    const present = this.#lives.get(key);
    if (present) return present;
    if (this.#lives.size >= MOST_CONNECTIONS) {
      this.#passedOver += 1;
      return null;
    }
    const life = new Life({ service, connection, from, states: this.#states });
    this.#lives.set(key, life);
    return life;
  }
}

type ActorRecord = Extract<AuditRecord, ActorRecordBase>;

const MEMBER = 'connection:';

/** Which connection an actor belongs to; `null` for none. */
function placeOf(actor: unknown): { service: string; connection: string } | null {
  if (typeof actor !== 'string') return null;
  const [service = '', , member = ''] = actor.split('/', 4);
  if (!member.startsWith(MEMBER)) return null;
  return { service: unescaped(service), connection: unescaped(member.slice(MEMBER.length)) };
}

function unescaped(id: string): string {
  return id.replace(/%2F/g, '/').replace(/%25/g, '%');
}
