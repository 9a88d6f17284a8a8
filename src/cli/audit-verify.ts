import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { createVerifier, verify, type Verification, type Verifier } from '../audit/index.ts';
import { argumentsOf, linesOfLog, progressOn, UsageError, working } from './audit-file.ts';
import { verificationLines } from './audit-report.ts';
import { EXIT } from './doctor.ts';
import type { Terminal } from './terminal.ts';

const VERIFY_HELP = `Usage: holdfast audit verify [options] <file>

Verifies an audit log: the file, and beside it the segments that have ended.
It is tamper-evident within limits: whoever can write the file can write all of
it anew, which only a signature or a checkpoint kept elsewhere shows.

  --key <file>          verifies the seals: a public key in PEM (Ed25519), or
                        the bytes of a key (HMAC with SHA-256)
  --key-name <name>     the name of the key; another one is not accepted
  --checkpoints <file>  compares with the checkpoints in this log: one of them
                        has to agree; the key is that of its seals as well
  --of <sink>           the sink that they speak of (default: of the first)
  --open                takes it for granted that the log is still written; with
                        a key at least one seal has to hold all the same
  --all                 prints all problems that are kept, not the first ten
  --json                prints one JSON document
  --help                prints this

Exit codes: 0 intact, with --open also open; 1 open: it has no end yet, or it
was cut off, or a key was given and nothing is signed; 2 broken; 64 wrong
usage; 66 a file cannot be read; 130 interrupted.
`;

const OPTIONS = {
  key: { type: 'string' },
  'key-name': { type: 'string' },
  checkpoints: { type: 'string' },
  of: { type: 'string' },
  open: { type: 'boolean', default: false },
  all: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** `holdfast audit verify`: prints what is to be said of a log. Resolves with the exit code. */
export function auditVerify(args: readonly string[], terminal: Terminal): Promise<number> {
  return working('verify', terminal, async () => {
    const { values, file } = argumentsOf(args, OPTIONS);
    if (values.help) {
      terminal.print(VERIFY_HELP);
      return EXIT.passed;
    }
    if (file === undefined) throw new UsageError('The file is missing.');
    const { signal } = terminal;
    const key = values.key === undefined ? undefined : await verifierOf(values.key, values['key-name']);
    const onProgress = progressOn(terminal);
    const verification = await verify(linesOfLog(file, { signal, ...(onProgress && { onProgress }) }), {
      ...(key && { key }),
      ...(values.checkpoints !== undefined && { checkpoints: linesOfLog(values.checkpoints, { signal }) }),
      ...(values.of !== undefined && { of: values.of }),
    });
    const lines = values.json
      ? [JSON.stringify(verification, null, 2)]
      : verificationLines(verification, { ...terminal, isAll: values.all });
    terminal.print(`${lines.join('\n')}\n`);
    return exitCode(verification, { mayBeOpen: values.open, isSigned: key !== undefined });
  });
}

function exitCode(
  { verdict, signatures }: Verification,
  { mayBeOpen, isSigned }: { mayBeOpen: boolean; isSigned: boolean },
): number {
  if (verdict === 'broken') return EXIT.failed;
  if (verdict === 'intact') return EXIT.passed;
  // one that was written anew has no seal, as one that has just begun
  return mayBeOpen && !(isSigned && signatures.verified === 0) ? EXIT.passed : EXIT.warnings;
}

async function verifierOf(path: string, name: string | undefined): Promise<Verifier> {
  const bytes = await readFile(path);
  const named = name !== undefined && { name };
  try {
    if (!bytes.includes('-----BEGIN ')) return createVerifier({ key: bytes, ...named });
    // of a private key it takes the public part
    const spki = createPublicKey(bytes).export({ type: 'spki', format: 'der' });
    const key = await crypto.subtle.importKey('spki', new Uint8Array(spki), 'Ed25519', false, ['verify']);
    return createVerifier({ key, ...named });
  } catch {
    throw new UsageError('--key takes a file with a public key of Ed25519 in PEM, or with at least 16 bytes.');
  }
}
