import { callback, check, has, must, object, required, text } from '../core/rules.ts';
import { Findings } from './findings.ts';
import { Inquiry } from './inquiry.ts';
import type { CheckpointRecord } from './record.ts';
import type { Verifier } from './signature.ts';
import { readingsOf, sourceRule, type AuditSource } from './source.ts';
import type { Verification } from './verification.ts';
import { Witness } from './witness.ts';

export interface VerifyOptions {
  /** What verifies the seals; one of several where keys have changed. Default: the seals are not looked at. */
  key?: Verifier | readonly Verifier[];
  /** The log that the checkpoints of this one are in; it is verified too, and its seals where it has any. One of them has to agree. Default: none. */
  checkpoints?: AuditSource;
  /** The name of the sink that the checkpoints speak of. Default: that of the first one. */
  of?: string;
  /** Called now and then with the number of lines so far. */
  onProgress?: (lines: number) => void;
}

const isVerifier = (value: unknown): boolean => has(value, 'verify');
const rule = object({
  source: required(sourceRule),
  key: must('a verifier, or a list of them', (value) =>
    Array.isArray(value) ? value.every(isVerifier) : isVerifier(value),
  ),
  checkpoints: sourceRule,
  of: text,
  onProgress: callback,
});

/**
 * Verifies an audit log: that each record has its hash, the number after the one before and the hash of that, and that the log is complete. Memory and turns of the event loop
 * are bounded whatever the length, and whatever the source holds: it rejects only as the source does.
 *
 * The chain makes a log tamper-evident, within limits. Whoever can write the file can write all of it anew, with hashes that hold: only a signature (`key`), or checkpoints that are kept where he cannot
 * write, show that. Whoever has the key for HMAC can sign anew as well. A tail that was cut off shows by the closing record alone, or by a checkpoint, and one that was cut off up to the end of an earlier run by a checkpoint alone, signed or not; a log that is `open` shows no more than that it has no end yet,
 * and what comes after its last seal is worth as much as without a key.
 *
 * @throws {ConfigurationError} `INVALID_OPTIONS`.
 */
export async function verify(source: AuditSource, options: VerifyOptions = {}): Promise<Verification> {
  check(rule, { ...options, source });
  const { key = [], of = null, onProgress } = options;
  const verifiers = Array.isArray(key) ? (key as readonly Verifier[]) : [key as Verifier];
  const findings = new Findings();
  const log = options.checkpoints ? new CheckpointLog(options.checkpoints, verifiers) : null;
  const witness = log && new Witness(log.records(), of, findings);
  const inquiry = new Inquiry({ findings, verifiers, seals: 'always', witness });
  await witness?.begin();
  for await (const readings of readingsOf(source)) {
    await inquiry.take(readings);
    onProgress?.(inquiry.lines);
  }
  await inquiry.finish();
  if (!log || !witness) return inquiry.verification;
  const { verdict, signatures } = await log.finish();
  if (verdict === 'broken') {
    const why = 'The log of the checkpoints is broken itself.';
    findings.add({ kind: 'checkpoint', seq: 0, line: inquiry.lines + 1, segment: null, why });
  }
  const { of: about, agreed, passed, earlier } = witness;
  const { verification } = inquiry;
  const notes = [
    ...witness.notes,
    ...(verdict === 'open' ? [OPEN] : []),
    ...(verifiers.length > 0 && signatures.verified === 0 ? [UNSIGNED] : []),
  ];
  return {
    ...verification,
    checkpoints: { of: about, agreed, passed, earlier, verdict },
    notes: [...verification.notes, ...notes],
  };
}

const OPEN = 'The log of the checkpoints has no end: it is still written, or its end was cut off.';
const UNSIGNED = 'Nothing of the log of the checkpoints is known to be signed.';

/** The log that checkpoints are in, read as far as the other one gets. */
class CheckpointLog {
  readonly #source: AuditSource;
  readonly #inquiry: Inquiry;
  #heard: CheckpointRecord[] = [];

  constructor(source: AuditSource, verifiers: readonly Verifier[]) {
    this.#source = source;
    this.#inquiry = new Inquiry({
      findings: new Findings(),
      verifiers,
      seals: 'after-one',
      witness: null,
      onEntry: ({ record }) => {
        if (record.kind === 'checkpoint') this.#heard.push(record);
      },
    });
  }

  async *records(): AsyncGenerator<CheckpointRecord, void> {
    for await (const readings of readingsOf(this.#source)) {
      await this.#inquiry.take(readings);
      const heard = this.#heard;
      this.#heard = [];
      yield* heard;
    }
  }

  /** All of it was read. */
  async finish(): Promise<Verification> {
    await this.#inquiry.finish();
    return this.#inquiry.verification;
  }
}
