import type { AuditEntry } from '../../src/audit/chain.ts';
import { createAuditLog, type AuditLog, type AuditLogOptions } from '../../src/audit/log.ts';
import type { AuditRecord } from '../../src/audit/record.ts';
import type { HoldfastError } from '../../src/errors.ts';
import { ScriptedSink } from './audit-trail.ts';
import { rig, type Rig, type RigOptions } from './service.ts';

export type Of<Kind extends AuditRecord['kind']> = Extract<AuditRecord, { kind: Kind }>;

export interface LoggedOptions<R extends Rig> extends Partial<Omit<AuditLogOptions, 'clock'>> {
  r?: R;
  service?: RigOptions;
  /** Whether the service is not recorded from its beginning. */
  isLate?: boolean;
}

/** A service with its audit log. */
export class Logged<R extends Rig = Rig> {
  readonly r: R;
  readonly sink = new ScriptedSink({}, 'memory');
  readonly errors: HoldfastError[] = [];
  readonly log: AuditLog;
  detach: () => void = () => undefined;

  constructor({ r, service, isLate = false, ...options }: LoggedOptions<R> = {}) {
    this.r = r ?? (rig(service) as R);
    this.log = createAuditLog({
      sinks: [this.sink],
      clock: this.r.clock,
      onError: (error) => this.errors.push(error),
      ...options,
    });
    if (!isLate) this.detach = this.log.attach(this.r.service);
  }

  get lines(): string[] {
    return this.sink.lines;
  }

  get records(): AuditRecord[] {
    return this.lines.map((line) => (JSON.parse(line) as AuditEntry).record);
  }

  of<Kind extends AuditRecord['kind']>(kind: Kind): Of<Kind>[] {
    return this.records.filter((record): record is Of<Kind> => record.kind === kind);
  }

  /** The turns on record, as `actor: event`. */
  turns(of = ''): string[] {
    const turns = this.records.filter(({ kind }) => kind === 'started' || kind === 'step') as Of<'step'>[];
    return turns.filter(({ actor }) => actor.includes(of)).map(({ actor, event }) => `${actor}: ${event.type}`);
  }

  async pass(ms = 0): Promise<void> {
    for (const part of [ms, 0, 0, 0]) await this.r.clock.advanceAsync(part);
  }

  /** Lets everything be stored that has happened. */
  async stored(): Promise<void> {
    const flushed = this.log.flush();
    await this.pass();
    await flushed;
  }

  /** Ends the service and the log. */
  async end(): Promise<void> {
    await this.r.destroy();
    const closed = this.log.close();
    await this.pass();
    await closed;
  }
}

export function logged<R extends Rig = Rig>(options: LoggedOptions<R> = {}): Logged<R> {
  return new Logged(options);
}
