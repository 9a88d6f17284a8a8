import { examine } from './examination.ts';
import type { WebSocketClass } from './handshake.ts';
import { DOCTOR_HELP, readOptions, type DoctorOptions } from './options.ts';
import { json, stepLines, summaryLines } from './report.ts';
import type { Examination } from './step.ts';
import type { Terminal } from './terminal.ts';

/** What a command ends with. Source: sysexits.h from 64 on. */
export const EXIT = {
  passed: 0,
  warnings: 1,
  failed: 2,
  usage: 64,
  noInput: 66,
  unavailable: 69,
  interrupted: 130,
} as const;

/** What a doctor works with. */
export interface Tools {
  version: string;
  /** @throws What an import throws of a package that is not there. */
  loadWebSocket: () => Promise<WebSocketClass>;
}

/** `holdfast doctor`: examines an endpoint and prints what it finds. Resolves with the exit code. */
export async function doctor(args: readonly string[], terminal: Terminal, tools: Tools): Promise<number> {
  const understood = readOptions(args);
  if (understood.wish === 'help') {
    terminal.print(DOCTOR_HELP);
    return EXIT.passed;
  }
  if (understood.wish === null) {
    terminal.complain(`${understood.problem} See holdfast doctor --help.\n`);
    return EXIT.usage;
  }
  const WebSocket = await load(tools);
  if (!WebSocket) {
    terminal.complain('The doctor needs the package ws, which is not there: npm install ws\n');
    return EXIT.unavailable;
  }
  const { options } = understood;
  const examination = await print(options, terminal, { WebSocket, userAgent: `holdfast-doctor/${tools.version}` });
  if (terminal.signal.aborted) {
    terminal.complain('Interrupted.\n');
    return EXIT.interrupted;
  }
  return exitCode(examination, options);
}

/** The exit code that tells of an examination. */
export function exitCode(
  { verdict }: Pick<Examination, 'verdict'>,
  { isStrict }: Pick<DoctorOptions, 'isStrict'>,
): number {
  if (verdict === 'failed') return EXIT.failed;
  return verdict === 'warning' && isStrict ? EXIT.warnings : EXIT.passed;
}

async function print(
  options: DoctorOptions,
  terminal: Terminal,
  means: { WebSocket: WebSocketClass; userAgent: string },
): Promise<Examination> {
  const { signal } = terminal;
  const show = (lines: readonly string[]): void => {
    if (!signal.aborted) terminal.print(`${lines.join('\n')}\n`);
  };
  const examination = await examine(options, {
    ...means,
    signal,
    onStep: (step) => {
      if (!options.isJson) show(stepLines(step, terminal));
    },
  });
  show(options.isJson ? [json(examination)] : summaryLines(examination, terminal));
  return examination;
}

async function load({ loadWebSocket }: Tools): Promise<WebSocketClass | null> {
  try {
    return await loadWebSocket();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}
