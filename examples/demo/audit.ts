import { createAuditLog, memorySink, replay, verify, type AuditLog } from 'holdfast/audit';
import { fileSink } from 'holdfast/audit/node';
import type { EnhancedWebSocketService } from 'holdfast';

import type { SecretScan } from './secret-scan.ts';
import { verdict, type Verdict } from './verdict.ts';

/** What the audit log of the demo has shown. */
export interface AuditFigures {
  records: number;
  /** Whether the chain of records holds. */
  chain: 'intact' | 'open' | 'broken';
  /** Turns of actors that were replayed through the machines. */
  turns: number;
  transitions: number;
  /** Turns in which a machine did something else. */
  diverged: number;
  /** Turns that could not be replayed. */
  skipped: number;
  /** What went wrong while it was written. */
  troubles: string[];
}

export interface AuditOptions {
  scan: SecretScan;
  /** The file that it is written to as well. */
  path: string | undefined;
}

// more than the demo has, so that all of it is there in the end
const MOST_RECORDS = 1_000_000;

/** Keeps an audit log of a service from its beginning, with the fate of each message. */
export class Audit {
  readonly #memory = memorySink({ maxRecords: MOST_RECORDS });
  readonly #log: AuditLog;
  readonly #scan: SecretScan;
  readonly #troubles: string[] = [];

  constructor(service: EnhancedWebSocketService, { scan, path }: AuditOptions) {
    this.#scan = scan;
    this.#log = createAuditLog({
      sinks: [this.#memory, ...(path === undefined ? [] : [fileSink({ path })])],
      level: 'messages',
      onError: (error) => this.#troubles.push(`${error.code}: ${String(error.cause)}`),
    });
    this.#log.attach(service);
  }

  /** Ends the log, and holds it against the machines. */
  async end(): Promise<AuditFigures> {
    await this.#log.close();
    const lines = this.#memory.lines();
    for (const line of lines) this.#scan.search('audit record', line);
    const { verdict: chain, records } = await verify(lines);
    const { turns, transitions, diverged, skipped } = await replay(lines);
    return { records, chain, turns, transitions, diverged, skipped, troubles: this.#troubles };
  }

  /** Lets go of the log, whatever has happened. */
  async abandon(): Promise<void> {
    await this.#log.close({ deadlineMs: 1_000 });
  }
}

/** The promise of the audit log. */
export function audited({ records, chain, turns, transitions, diverged, skipped, troubles }: AuditFigures): Verdict {
  return verdict(
    'audit log: each transition on record is the one that the machines take',
    [
      ...(chain === 'intact' ? [] : [`the chain of records is ${chain}`]),
      ...(diverged === 0 && turns > 0 ? [] : [`${diverged} of ${turns} turns are others`]),
      ...(skipped === 0 ? [] : [`${skipped} turns could not be replayed`]),
      ...troubles,
    ],
    [`${records} records in a chain that holds`, `${turns} turns with ${transitions} transitions replayed, all equal`],
  );
}
