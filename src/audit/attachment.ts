import type { Clock } from '../transport/clock.ts';
import { stateOf } from '../../machines/index.ts';
import { bodyOf } from './chaining.ts';
import { Observation, type ObservableSystem, type Turn } from './observation.ts';
import { COUNTED, type AuditLevel, type CountsRecord, type FateRecord, type Json } from './record.ts';
import type { Item, Moment, Recorder } from './recorder.ts';
import type { Redaction } from './redaction.ts';

/** What of a service is recorded: every `EnhancedWebSocketService` is one. */
export interface AuditableService {
  readonly system: ObservableSystem;
  getConnections(): { connectionId: string }[];
  connection(connectionId: string): AuditableConnection;
  on(type: 'settled', listener: (event: SettledMessage) => void): () => void;
  on(type: 'message', listener: (event: ReceivedMessage) => void): () => void;
}

/** A connection, and what has become of its messages. */
export interface AuditableConnection {
  readonly id: string;
  readonly status: { messages: Counted & { droppedBy: Readonly<Partial<Record<string, number>>> } };
}

/** What has become of the messages of a connection. */
type Counted = Pick<CountsRecord, (typeof COUNTED)[number]>;

interface ReceivedMessage {
  connectionId: string;
  data: unknown;
}

interface SettledMessage {
  connectionId: string;
  messageId: string;
  fate: Exclude<FateRecord['fate'], 'received'>;
  bytes: number;
  data: unknown;
  error: { code: string } | undefined;
}

export interface AttachmentOptions {
  name: string;
  service: AuditableService;
  level: AuditLevel;
  recorder: () => Recorder;
  redaction: Redaction;
  clock: Clock;
  now: () => Moment;
  /** Takes what makes a record. */
  record: (make: () => Item) => void;
  /** Hears what should not have happened. */
  report: (cause: unknown) => void;
  /** Hears of its end. */
  ended: () => void;
}

/** How often the messages of every connection are counted, in ms, beside each time that one loses its link or ends. */
const COUNTING_MS = 60_000;
const TELLING: readonly string[] = ['backoff', 'closed', 'failed'];

/** Records one service, from outside, until it is ended. Nothing of it throws into the service. */
export class Attachment {
  readonly #options: AttachmentOptions;
  readonly #observation: Observation;
  readonly #ends: (() => void)[] = [];
  // they outlive their places in the service: their last messages find their ends when it is over
  readonly #connections = new Map<string, { connection: AuditableConnection; counted: string }>();
  // those that are to be counted, and whether they are gone then
  readonly #due = new Map<string, 'stays' | 'leaves'>();
  #counting: unknown;
  #next: 'count' | 'end' = 'count';
  #timer: unknown;
  #isOver = false;

  constructor(options: AttachmentOptions) {
    this.#options = options;
    const { service, name } = options;
    this.#note('attached');
    this.#safely(() => {
      this.#knowAll();
    });
    this.#observation = new Observation(
      service.system,
      { name, nameOf: (id) => options.redaction.name(id) },
      (turn) => {
        this.#heard(turn);
      },
    );
    if (options.level === 'messages') this.#followMessages();
    this.#schedule();
    if (this.#observation.isOver) this.#soon('end');
  }

  /** Whether nothing is recorded any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get service(): AuditableService {
    return this.#options.service;
  }

  get name(): string {
    return this.#options.name;
  }

  end(): void {
    if (this.#isOver) return;
    this.#countAll();
    this.#isOver = true;
    this.#observation.end();
    for (const end of this.#ends) end();
    for (const timer of [this.#timer, this.#counting]) this.#options.clock.clearTimeout(timer);
    this.#note('detached');
    this.#options.ended();
  }

  #heard(turn: Turn): void {
    const { recorder, record, now } = this.#options;
    this.#safely(() => {
      const moment = now();
      record(() => recorder().item(turn, moment));
    });
    if (turn.actor.machine === 'connection') this.#follow(turn);
    if (turn.actor.machine === 'supervisor' && isEnd(turn)) this.#soon('end');
  }

  // where a link is lost or a connection ends it is of interest what has become of the messages, once all that follows has followed
  #follow(turn: Turn): void {
    const { before, after } = turn;
    const { id } = after.context as { id: string };
    if (turn.kind === 'started') this.#safely(() => this.#knownAs(id));
    const state = stateOf(after);
    if (!isEnd(turn) && (!TELLING.includes(state) || (before && stateOf(before) === state))) return;
    this.#due.set(id, isEnd(turn) ? 'leaves' : 'stays');
    this.#soon('count');
  }

  // an end counts as well, and is not put off by a count
  #soon(what: 'count' | 'end'): void {
    const { clock } = this.#options;
    if (what === 'end') this.#next = 'end';
    this.#counting ??= clock.setTimeout(() => {
      this.#counting = undefined;
      if (this.#next === 'end') this.end();
      else this.#countDue();
    }, 0);
  }

  #countDue(): void {
    const due = [...this.#due];
    this.#due.clear();
    for (const [id, then] of due) {
      this.#safely(() => {
        this.#count(id);
      });
      if (then === 'leaves') this.#connections.delete(id);
    }
  }

  #countAll(): void {
    this.#countDue();
    this.#safely(() => {
      this.#knowAll();
      for (const id of this.#connections.keys()) this.#count(id);
    });
  }

  #knowAll(): void {
    for (const { connectionId } of this.#options.service.getConnections()) this.#knownAs(connectionId);
  }

  #knownAs(id: string): { connection: AuditableConnection; counted: string } {
    const present = this.#connections.get(id);
    if (present) return present;
    const known = { connection: this.#options.service.connection(id), counted: '' };
    this.#connections.set(id, known);
    return known;
  }

  #count(id: string): void {
    const known = this.#knownAs(id);
    const { messages } = known.connection.status;
    const counts = Object.fromEntries(COUNTED.map((key) => [key, messages[key]])) as unknown as Counted;
    const key = JSON.stringify(counts);
    if (known.counted === key) return;
    known.counted = key;
    const droppedBy = messages.droppedBy as CountsRecord['droppedBy'];
    this.#write('counts', { service: this.#options.name, connection: this.#shown(id), ...counts, droppedBy });
  }

  #followMessages(): void {
    const { service } = this.#options;
    this.#ends.push(
      service.on('settled', ({ messageId: id, fate, bytes, data, error, connectionId }) => {
        this.#fate(connectionId, { direction: 'out', id, bytes, fate, ...(error && { because: error.code }) }, data);
      }),
      service.on('message', ({ connectionId, data }) => {
        this.#fate(connectionId, { direction: 'in', fate: 'received', ...sizeOf(data) }, data);
      }),
    );
  }

  #fate(
    connectionId: string,
    facts: Pick<FateRecord, 'direction' | 'fate' | 'id' | 'bytes' | 'because'>,
    data: unknown,
  ): void {
    this.#safely(() => {
      const { redaction, name: service } = this.#options;
      const kept = redaction.payload(data);
      this.#write('fate', {
        service,
        connection: this.#shown(connectionId),
        ...facts,
        ...(kept && { payload: JSON.parse(kept.text) as Json }),
        ...(kept && kept.paths.length > 0 && { redacted: kept.paths }),
      });
    });
  }

  #write<Of extends 'counts' | 'fate' | 'attached' | 'detached'>(
    kind: Of,
    says: Parameters<typeof bodyOf<Of>>[1],
  ): void {
    this.#safely(() => {
      const moment = this.#options.now();
      this.#options.record(() => ({ at: moment.at, body: bodyOf(kind, says, moment) }));
    });
  }

  #note(kind: 'attached' | 'detached'): void {
    this.#write(kind, { service: this.#options.name });
  }

  #shown(id: string): string {
    return this.#options.redaction.id(id);
  }

  #schedule(): void {
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#countAll();
      this.#schedule();
    }, COUNTING_MS);
  }

  #safely(act: () => void): void {
    try {
      act();
    } catch (cause) {
      this.#options.report(cause);
    }
  }
}

function isEnd({ kind }: Turn): boolean {
  return kind === 'stopped' || kind === 'died';
}

function sizeOf(data: unknown): { bytes?: number } {
  if (typeof data === 'string') return { bytes: new TextEncoder().encode(data).byteLength };
  return data instanceof ArrayBuffer ? { bytes: data.byteLength } : {};
}
