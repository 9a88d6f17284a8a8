import { describe, expect, test } from 'vitest';

import { command } from '../../src/cli/command.ts';
import { EXIT } from '../../src/cli/doctor.ts';

async function run(...args: string[]) {
  const printed: string[] = [];
  const complaints: string[] = [];
  const terminal = {
    print: (text: string) => printed.push(text),
    complain: (text: string) => complaints.push(text),
    width: 80,
    isColoured: false,
    signal: new AbortController().signal,
  };
  const loadWebSocket = () => Promise.reject(new Error('not wanted'));
  const code = await command(args, terminal, { version: '1.2.3', loadWebSocket });
  return { code, printed: printed.join(''), complaints: complaints.join('') };
}

describe('the command', () => {
  test('hands the rest to a subcommand', async () => {
    expect(await run('doctor', '--help')).toMatchObject({
      code: EXIT.passed,
      printed: expect.stringMatching(/^Usage: holdfast doctor/) as string,
    });
    expect(await run('doctor')).toMatchObject({
      code: EXIT.usage,
      complaints: expect.stringContaining('URL') as string,
    });
  });

  test('tells its version and its subcommands', async () => {
    expect(await run('--version')).toEqual({ code: EXIT.passed, printed: '1.2.3\n', complaints: '' });
    expect(await run('--help')).toMatchObject({
      code: EXIT.passed,
      printed: expect.stringContaining('doctor <url>') as string,
      complaints: '',
    });
  });

  test.each([[[]], [['nurse']], [['--verbose']]])('knows no other: %j', async (args) => {
    expect(await run(...args)).toMatchObject({
      code: EXIT.usage,
      printed: '',
      complaints: expect.stringMatching(/^Usage/) as string,
    });
  });
});
