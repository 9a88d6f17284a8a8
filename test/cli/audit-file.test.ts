import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';

import { smallLog } from '../support/audit-chain.ts';
import { filesOf, runAudit, textOf } from '../support/audit-command.ts';

describe('a command of the audit log', () => {
  test.each([
    [['verify'], 'The file is missing. See holdfast audit verify --help.\n'],
    [['verify', 'a', 'b'], 'There is more than one file. See holdfast audit verify --help.\n'],
    [['tail', '--loud', 'a'], "Unknown option '--loud'. See holdfast audit tail --help.\n"],
    [['tail', '-n'], '-n takes a value. See holdfast audit tail --help.\n'],
    [['tail', '-n', '-3', 'a'], '-n takes a value, which cannot begin with "-". See holdfast audit tail --help.\n'],
    [
      ['tail', '--actor', '--json'],
      '--actor takes a value, which cannot begin with "-". See holdfast audit tail --help.\n',
    ],
    [['tail', '--json=x', 'a'], '--json takes no value. See holdfast audit tail --help.\n'],
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

  test.each(['explain', 'replay', 'tail'])('is told by a file that is no log that it is none: %s', async (name) => {
    const [json = '', text = '', bytes = '', torn = ''] = await filesOf({
      'package.json': '{\n  "name": "x"\n}\n',
      'text.txt': '\nhello\n',
      'bytes.bin': Buffer.from([0xff, 0xfe, 10]),
      'torn.jsonl': '{"hash":"',
    });
    for (const path of [json, text, bytes]) {
      const complaints = `${path} is not an audit log.\n`;
      expect(await runAudit([name, path])).toEqual({ code: 66, printed: '', complaints });
    }
    const complaints = `${torn} has no whole line.\n`;
    expect(await runAudit([name, torn])).toEqual({ code: 66, printed: '', complaints });
    const [empty = ''] = await filesOf({ 'empty.jsonl': '' });
    expect(await runAudit([name, empty])).toEqual({ code: 66, printed: '', complaints: `${empty} is empty.\n` });
  });

  test('takes a log whose first line is damaged', async () => {
    const [first = '', ...rest] = await smallLog();
    const [path = ''] = await filesOf({ 'log.jsonl': textOf([first.slice(0, 100), ...rest]) });
    expect(await runAudit(['explain', path])).toMatchObject({
      code: 0,
      printed: expect.stringContaining('1 line could not be read') as string,
    });
  });

  test('says in words that a file given to an option cannot be read', async () => {
    const [log = ''] = await filesOf({ 'log.jsonl': textOf(await smallLog()) });
    const options = ['--key', '--checkpoints'];
    for (const option of options) {
      const { code, complaints } = await runAudit(['verify', option, `${log}.none`, log]);
      expect([code, complaints]).toEqual([66, `There is no file ${log}.none.\n`]);
    }
    const { code, complaints } = await runAudit(['verify', '--key', dirname(log), log]);
    expect([code, complaints]).toEqual([66, 'What was given is a directory.\n']);
  });

  test('that is interrupted says no more than that', async () => {
    const [path = ''] = await filesOf({ 'out.jsonl': 'x\n' });
    const signal = AbortSignal.abort();
    expect(await runAudit(['verify', path], { signal })).toEqual({
      ...{ code: 130, printed: '', complaints: 'Interrupted.\n' },
    });
  });
});
