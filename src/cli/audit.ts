import { auditExplain } from './audit-explain.ts';
import { auditReplay } from './audit-replay.ts';
import { auditTail } from './audit-tail.ts';
import { auditVerify } from './audit-verify.ts';
import { EXIT } from './doctor.ts';
import { tameText } from './secrecy.ts';
import type { Terminal } from './terminal.ts';

type AuditCommand = (args: readonly string[], terminal: Terminal) => Promise<number>;

const COMMANDS = new Map<string, AuditCommand>([
  ['verify', auditVerify],
  ['tail', auditTail],
  ['explain', auditExplain],
  ['replay', auditReplay],
]);

export const AUDIT_HELP = `Usage: holdfast audit <command> [options] <file>

Commands:
  verify <file>   says whether a log is whole, and where it is not
  tail <file>     prints the last records of a log, and those that come
  explain <file>  says when connections were lost, why, and what came of it
  replay <file>   steps the machines through a log, and says where they differ

  --help          prints this; after a command, its options
`;

/** `holdfast audit`: hands its arguments to one of its commands. Resolves with the exit code. */
export async function audit(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  const found = COMMANDS.get(name ?? '');
  if (found) return found(rest, terminal);
  if (name === undefined || name === '--help' || name === '-h') {
    terminal.print(AUDIT_HELP);
    return EXIT.passed;
  }
  terminal.complain(`There is no command ${tameText(name)}.\n\n${AUDIT_HELP}`);
  return EXIT.usage;
}
