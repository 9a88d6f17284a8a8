import { describe, expect, test } from 'vitest';

import { filesOf, runAudit } from '../support/audit-command.ts';

describe('a command of the audit log', () => {
  test.each([
    [['verify'], 'The file is missing. See holdfast audit verify --help.\n'],
    [['verify', 'a', 'b'], 'There is more than one file. See holdfast audit verify --help.\n'],
    [['tail', '--loud', 'a'], "Unknown option '--loud'. See holdfast audit tail --help.\n"],
    [['tail', '-n', 'x', 'a'], '-n takes a whole number from 0 to 100000. See holdfast audit tail --help.\n'],
  ])('that is not understood says why: %j', async (args, complaints) => {
    expect(await runAudit(args)).toEqual({ code: 64, printed: '', complaints });
  });

  test.each(['verify', 'tail'])('whose file cannot be read says so: %s', async (name) => {
    const [empty = ''] = await filesOf({ 'empty.jsonl': '' });
    expect(await runAudit([name, empty])).toMatchObject({
      code: 66,
      printed: '',
      complaints: expect.stringContaining('empty') as string,
    });
    expect(await runAudit([name, `${empty}.none`])).toMatchObject({ code: 66, printed: '' });
  });

  test('that is interrupted says no more than that', async () => {
    const [path = ''] = await filesOf({ 'out.jsonl': 'x\n' });
    const signal = AbortSignal.abort();
    expect(await runAudit(['verify', path], { signal })).toEqual({
      ...{ code: 130, printed: '', complaints: 'Interrupted.\n' },
    });
  });
});
