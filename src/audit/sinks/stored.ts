import { AuditError } from '../../errors.ts';
import { readLine, type AuditEntry, type Head } from '../chain.ts';
import { sha256 } from '../digest.ts';

const HASH_AT = '{"hash":"'.length;
const SEQ = /"seq":(\d+)\}$/;

/** Number and hash of an entry, read off its line. The line is taken for one of a log. */
export function headOf(line: string): Head {
  return { seq: Number(SEQ.exec(line)?.[1]), hash: line.slice(HASH_AT, HASH_AT + 64) };
}

/** The entry of a line that another can follow; `null` where the line is none, is of a later version, or is not what its hash says. */
export async function soundEntry(line: string): Promise<AuditEntry | null> {
  const { entry, ...read } = readLine(line);
  return entry && 'hashed' in read && (await sha256(read.hashed)) === entry.hash ? entry : null;
}

/** What a sink says that is asked for something after its end. */
export function closedError(sink: string): AuditError {
  return new AuditError('AUDIT_SINK_FAILED', { sink, message: 'The sink is closed.' });
}
