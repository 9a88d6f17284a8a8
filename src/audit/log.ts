import { nameFrom } from '../core/chance.ts';
import { isolated } from '../core/isolation.ts';
import {
  callback,
  check,
  clock as clockRule,
  duration,
  has,
  isListOf,
  isObject,
  isText,
  must,
  object,
  oneOf,
  positive,
  required,
  text,
  type Rule,
} from '../core/rules.ts';
import type { AuditError } from '../errors.ts';
import { ConfigurationError, FaultError } from '../errors.ts';
import { monotonicNow, systemClock, type Clock } from '../transport/clock.ts';
import { Attachment, type AuditableService } from './attachment.ts';
import { Checkpoints, type CheckpointOptions } from './checkpoints.ts';
import { hashes, type Hashes } from './definitions.ts';
import { canDigest } from './digest.ts';
import { AUDIT_LEVELS, type AuditLevel } from './record.ts';
import { Recorder, type Item, type Moment } from './recorder.ts';
import { Redaction, redactionRule, type RedactionOptions } from './redaction.ts';
import { createSigner, type AuditKey } from './signature.ts';
import type { AuditSink } from './sink.ts';
import { Trail, type TrailStatus } from './trail.ts';

/** How an audit log is kept. */
export interface AuditLogOptions {
  /** Where. Each has a chain of its own, and is given to one log once. */
  sinks: readonly AuditSink[];
  /** What is not written down. */
  redact?: RedactionOptions;
  /** How much is. `messages`: also what became of each message; that costs something for each. @default 'transitions' */
  level?: AuditLevel;
  /** What proves the chain to others. */
  chain?: {
    /** Signs each segment, and the end. @default unsigned */
    sign?: { key: AuditKey; /** What the key is called. */ name: string };
    /** Says elsewhere, from time to time, how far each chain is. @default nowhere */
    checkpoints?: CheckpointOptions;
  };
  /** How many records may wait for a sink, and how many characters of them. What there is no room for is counted. @default 10,000 and 16 Mi */
  most?: { records?: number; bytes?: number };
  /** Hears of trouble: an {@link AuditError} of a sink, once each time that it begins; a {@link FaultError} for a bug. @default nobody */
  onError?: (error: AuditError | FaultError) => void;
  /** @default the platform's; its timers do not keep a process */
  clock?: Clock;
  /** Names the run. @default Math.random */
  random?: () => number;
}

/** How a log is doing. */
export interface AuditLogStatus {
  /** The names of the services that are recorded. */
  services: string[];
  sinks: TrailStatus[];
  checkpoints: TrailStatus[];
}

const auditableRule = must(
  'a service, such as an EnhancedWebSocketService',
  (value) => has(value, 'getConnections', 'connection', 'on') && has((value as { system?: unknown }).system, 'inspect'),
);
const isSink = (value: unknown): boolean => has(value, 'append') && isText((value as AuditSink).name);
const sinks = must(
  'a list of at least one sink',
  (value) => isListOf(value, isSink) && (value as unknown[]).length > 0,
);
// two chains in one place would be none
const together: Rule = (value) => {
  const { sinks: own, chain } = value as AuditLogOptions;
  const all = [...own, ...(chain?.checkpoints?.sinks ?? [])];
  const names = (some: readonly AuditSink[]): number => new Set(some.map(({ name }) => name)).size;
  return [
    ...(new Set(all).size === all.length ? [] : ['sinks: must be there once each, also among those of checkpoints']),
    // checkpoints speak of them by name
    ...(names(own) === own.length ? [] : ['sinks: must have different names']),
  ];
};
const fields = {
  sinks: required(sinks),
  redact: redactionRule,
  level: oneOf(AUDIT_LEVELS),
  chain: object({
    sign: must('an object with key and name', isObject),
    checkpoints: object({ sinks: required(sinks), everyRecords: positive, everyMs: duration(1) }),
  }),
  most: object({ records: positive, bytes: positive }),
  onError: callback,
  clock: clockRule,
  random: callback,
};
const optionsRule = object(fields, together);
const deadlineRule = object({ deadlineMs: duration() });
const DEADLINE_MS = 5_000;
const MOST = { records: 10_000, bytes: 16 * 1_048_576 };

/**
 * Makes a log. It attaches to services from outside, and nothing of it reaches them: whatever a sink does, no connection waits for it or ends of it. A platform that cannot
 * compute SHA-256 (a page that is not in a secure context) can keep no log.
 *
 * @throws {ConfigurationError} `INVALID_OPTIONS`
 */
export function createAuditLog(options: AuditLogOptions): AuditLog {
  return new AuditLog(options);
}

/** A record of what the connections of services did, that can be verified and replayed. */
export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #clock: Clock;
  readonly #level: AuditLevel;
  readonly #redaction: Redaction;
  readonly #trails: readonly Trail[];
  readonly #checkpoints: Checkpoints;
  readonly #attachments = new Set<Attachment>();
  #recorder: Recorder | undefined;
  // records that wait for the hashes of the machines
  #early: (() => Item)[] = [];
  #names = 0;
  #closing: Promise<void> | undefined;

  /** @throws {ConfigurationError} `INVALID_OPTIONS` */
  constructor(options: AuditLogOptions) {
    check(optionsRule, options);
    if (!canDigest()) {
      throw new ConfigurationError('INVALID_OPTIONS', {
        message: 'This platform has no SHA-256 here: WebCrypto needs a secure context.',
      });
    }
    const { clock = systemClock({ unref: true }), level = 'transitions', random = Math.random, chain = {} } = options;
    this.#options = options;
    this.#clock = clock;
    this.#level = level;
    this.#redaction = new Redaction(options.redact);
    const signer = chain.sign && createSigner(chain.sign);
    const now = this.#now;
    const report = (error: AuditError): void => {
      this.#report(error);
    };
    const run = nameFrom(random(), random());
    const most = { ...MOST, ...options.most };
    const opened = async (): Promise<{ run: string; machines: Hashes; level: AuditLevel }> => ({
      run,
      machines: await hashes(),
      level,
    });
    const trail = { clock, now, signer, most, report, opened };
    this.#checkpoints = new Checkpoints(chain.checkpoints, { ...trail, run });
    this.#trails = options.sinks.map(
      (sink) =>
        new Trail({
          ...trail,
          sink,
          stored: (head) => {
            this.#checkpoints.note(sink.name, head);
          },
        }),
    );
    this.#make(hashes());
  }

  get status(): AuditLogStatus {
    return {
      services: [...this.#attachments].filter(({ isOver }) => !isOver).map(({ name }) => name),
      sinks: this.#trails.map(({ status }) => status),
      checkpoints: this.#checkpoints.status,
    };
  }

  /**
   * Records a service from now on, until it is destroyed, or until what is returned is called. Connections that are there already are recorded with the state they are in.
   *
   * @param options.name What the service is called in the log. Default: `service`, then `service-2` and so on.
   * @throws {ConfigurationError} `INVALID_OPTIONS` for what is no service or is recorded already, for a name that another one has, or for a log that is closed.
   */
  attach(service: AuditableService, options: { name?: string } = {}): () => void {
    check(object({ service: required(auditableRule), name: text }), { service, ...options });
    if (this.#closing) throw new ConfigurationError('INVALID_OPTIONS', { message: 'The audit log is closed.' });
    const name = options.name ?? this.#freeName();
    if (this.status.services.includes(name)) {
      throw new ConfigurationError('INVALID_OPTIONS', { message: `Another service is recorded as ${name}.` });
    }
    if ([...this.#attachments].some((one) => !one.isOver && one.service === service)) {
      throw new ConfigurationError('INVALID_OPTIONS', { message: 'The service is recorded already.' });
    }
    const attachment = new Attachment({
      service,
      name,
      level: this.#level,
      recorder: () => this.#recorder as Recorder,
      redaction: this.#redaction,
      clock: this.#clock,
      now: this.#now,
      record: (make) => {
        this.#record(make);
      },
      report: (cause) => {
        this.#report(new FaultError('INTERNAL_FAULT', { cause }));
      },
      ended: () => {
        this.#attachments.delete(attachment);
      },
    });
    this.#attachments.add(attachment);
    return () => {
      attachment.end();
    };
  }

  /**
   * Resolves once everything that happened so far is stored, everywhere, as safely as the sinks can.
   *
   * @param options.deadlineMs Default: 5,000.
   * @throws {AuditError} Rejects with why a sink has not stored it, or not in time.
   */
  async flush(options: { deadlineMs?: number } = {}): Promise<void> {
    check(deadlineRule, options);
    const { deadlineMs = DEADLINE_MS } = options;
    await hashes();
    await Promise.all([...this.#trails, ...this.#checkpoints.trails].map((trail) => trail.flush(deadlineMs)));
  }

  /**
   * Ends the recording, stores what there is, says that nothing follows, and lets go of the sinks. Resolves within the deadline whatever they do, and with checkpoints within twice as
   * long; `status` says what is missing.
   *
   * @param options.deadlineMs Default: 5,000.
   * @throws {ConfigurationError} Rejects with `INVALID_OPTIONS`
   */
  async close(options: { deadlineMs?: number } = {}): Promise<void> {
    check(deadlineRule, options);
    this.#closing ??= this.#close(options.deadlineMs ?? DEADLINE_MS);
    return this.#closing;
  }

  async #close(deadlineMs: number): Promise<void> {
    for (const attachment of [...this.#attachments]) attachment.end();
    await hashes();
    await Promise.all(this.#trails.map((trail) => trail.close(deadlineMs)));
    await this.#checkpoints.close(deadlineMs);
  }

  #freeName(): string {
    let name: string;
    do {
      this.#names += 1;
      name = this.#names === 1 ? 'service' : `service-${this.#names}`;
    } while (this.status.services.includes(name));
    return name;
  }

  readonly #now = (): Moment => ({
    at: timeOf(Math.round(this.#clock.now())),
    mono: timeOf(Math.round(monotonicNow(this.#clock) * 1_000) / 1_000),
  });

  #make(found: Hashes | Promise<Hashes>): void {
    if ('then' in found) {
      void (found as Promise<Hashes>).then((late) => {
        this.#make(late);
      });
      return;
    }
    this.#recorder = new Recorder(this.#redaction, found);
    for (const make of this.#early.splice(0)) this.#record(make);
  }

  #record(make: () => Item): void {
    if (!this.#recorder) {
      this.#early.push(make);
      return;
    }
    const item = make();
    for (const trail of this.#trails) trail.add(item);
  }

  #report(error: AuditError | FaultError): void {
    const { onError } = this.#options;
    if (onError) isolated(onError, [error], () => undefined);
  }
}

// a clock that is handed in may say anything
function timeOf(time: number): number {
  return Number.isFinite(time) ? time : 0;
}
