import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { doctor, EXIT, exitCode, type Tools } from '../../src/cli/doctor.ts';
import { freePort } from '../support/server.ts';

const tools: Tools = { version: '1.2.3', loadWebSocket: () => Promise.resolve(WebSocket) };

async function run(
  args: readonly string[],
  { signal = new AbortController().signal, ...given }: Partial<Tools & { signal: AbortSignal }> = {},
) {
  const printed: string[] = [];
  const complaints: string[] = [];
  const terminal = {
    print: (text: string) => printed.push(text),
    complain: (text: string) => complaints.push(text),
    width: 80,
    isColoured: false,
    signal,
  };
  const code = await doctor(args, terminal, { ...tools, ...given });
  return { code, printed: printed.join(''), complaints: complaints.join('') };
}

const missing = (code: string) => () => Promise.reject(Object.assign(new Error('no ws'), { code }));

describe('the doctor', () => {
  test('prints each step and a summary, and ends with what it found', async () => {
    const { code, printed, complaints } = await run([`ws://127.0.0.1:${await freePort()}`]);
    expect([code, complaints]).toEqual([EXIT.failed, '']);
    expect(printed).toMatch(/^✓ passed {3}address {6}.*\n– skipped {2}name .*\n✗ failed {3}network /);
    expect(printed).toMatch(/\n\n✗ failed: 1 passed, 1 failed, 11 skipped, in .*\n\nAdvice\n- network: /);
  });

  test('prints one document where that is wished, and nothing else', async () => {
    const { printed } = await run(['--json', `ws://127.0.0.1:${await freePort()}`]);
    expect(JSON.parse(printed)).toMatchObject({ verdict: 'failed' });
  });

  test('explains itself', async () => {
    expect(await run(['--help'])).toMatchObject({ code: 0, printed: expect.stringContaining('Exit codes') as string });
    expect(await run(['--pings', 'x', 'ws://a'])).toEqual({
      code: EXIT.usage,
      printed: '',
      complaints: '--pings takes a whole number from 0 to 1000. See holdfast doctor --help.\n',
    });
  });

  test.each(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'])(
    'says how to get ws where it is missing: %s',
    async (code) => {
      expect(await run(['ws://a'], { loadWebSocket: missing(code) })).toEqual({
        code: EXIT.unavailable,
        printed: '',
        complaints: 'The doctor needs the package ws, which is not there: npm install ws\n',
      });
    },
  );

  test('does not take another fault for that', async () => {
    await expect(run(['ws://a'], { loadWebSocket: missing('EACCES') })).rejects.toThrow('no ws');
  });

  test('that is interrupted says no more than that', async () => {
    expect(await run(['ws://127.0.0.1:1'], { signal: AbortSignal.abort() })).toEqual({
      code: EXIT.interrupted,
      printed: '',
      complaints: 'Interrupted.\n',
    });
  });
});

describe('the exit code', () => {
  test.each([
    ['passed', false, 0],
    ['warning', false, 0],
    ['warning', true, 1],
    ['passed', true, 0],
    ['failed', true, 2],
    ['failed', false, 2],
  ] as const)('of %s, strict or not (%s), is %d', (verdict, isStrict, code) => {
    expect(exitCode({ verdict }, { isStrict })).toBe(code);
  });
});
