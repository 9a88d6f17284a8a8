import { audit } from './audit.ts';
import { doctor, EXIT, type Tools } from './doctor.ts';
import type { Terminal } from './terminal.ts';

type Subcommand = (args: readonly string[], terminal: Terminal, tools: Tools) => Promise<number>;

const SUBCOMMANDS = new Map<string, Subcommand>([
  ['audit', audit],
  ['doctor', doctor],
]);

const HELP = `Usage: holdfast <command> [options]

Commands:
  audit <command> <file>
                 verifies, prints, explains or replays an audit log
  doctor <url>   says what a WebSocket endpoint does, and what is wrong with it

  --help         prints this; after a command, its options
  --version      prints the version
`;

/** The command `holdfast`: hands its arguments to a subcommand. Resolves with the exit code. */
export async function command(args: readonly string[], terminal: Terminal, tools: Tools): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--help' || name === '-h') {
    terminal.print(HELP);
    return EXIT.passed;
  }
  if (name === '--version') {
    terminal.print(`${tools.version}\n`);
    return EXIT.passed;
  }
  const subcommand = SUBCOMMANDS.get(name ?? '');
  if (subcommand) return subcommand(rest, terminal, tools);
  terminal.complain(HELP);
  return EXIT.usage;
}
