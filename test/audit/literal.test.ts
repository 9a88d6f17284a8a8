import fc from 'fast-check';
import { format } from 'prettier';
import { transpileModule, ScriptTarget, ModuleKind } from 'typescript';
import { describe, expect, test } from 'vitest';

import { commentText, literal, textLiteral } from '../../src/audit/literal.ts';
import type { Json } from '../../src/audit/record.ts';

const PREFIX = 'export const a = ';

// fast-check takes seconds for the first that has these strings, which would be the test's
const anything = fc.jsonValue({ stringUnit: 'binary' });

const written = (value: Json): string => `${PREFIX}${literal(value, { indent: 0, used: PREFIX.length, after: 1 })};\n`;

async function read(source: string): Promise<unknown> {
  const { outputText } = transpileModule(source, {
    compilerOptions: { target: ScriptTarget.ES2022, module: ModuleKind.ES2022 },
  });
  return ((await import(`data:text/javascript,${encodeURIComponent(outputText)}`)) as { a: unknown }).a;
}

describe('a literal', () => {
  test('is in the format of Prettier', async () => {
    const long = 'word '.repeat(30);
    const values: Json[] = [
      {},
      [],
      { type: 'connect' },
      [{ type: 'connect' }, { live: { connecting: 'queued' } }, ['start turn', 'start socket']],
      [
        {
          type: 'socket.closed',
          failure: { code: 'CLOSED_BY_PEER', closure: { code: 1012, wasClean: true } },
          generation: 1,
        },
        'closed',
        [],
      ],
      {
        'two words': 1,
        'members.3.use': null,
        list: [
          { event: 'a', ms: 1 },
          { event: 'b', ms: 2 },
        ],
      },
      { text: long, id: long, exact: long, 'a b': long, x: long, nested: { text: `it's ${long}` } },
      [
        [1, 2],
        [3, 4],
      ],
      [{ a: 1 }, { b: 2 }],
      ["it's", 'he said "no"', `both ' and "`, 'back\\slash', 'line\nbreak'],
    ];
    for (const value of values) {
      const source = written(value);
      expect(await format(source, { parser: 'typescript', printWidth: 120, singleQuote: true })).toBe(source);
    }
  });

  test('is what it was written from, whatever that holds', async () => {
    await fc.assert(
      fc.asyncProperty(anything, async (value) => {
        // of a number below zero that is none JSON knows nothing
        const json = JSON.parse(JSON.stringify(value)) as Json;
        expect(await read(written(json))).toEqual(json);
      }),
      { numRuns: 100 },
    );
    for (const text of ['__proto__', '`${process.exit()}`', '*/', "');//", '\u2028\u202e', '\ud800', '\\']) {
      const json = JSON.parse(`{${JSON.stringify(text)}:${JSON.stringify(text)}}`) as Json;
      expect(await read(written(json))).toEqual(json);
    }
  });

  test('shows nothing that turns its line around or cannot be seen', () => {
    expect(textLiteral('a\u202eb\u2028\u200b')).toBe("'a\\u202eb\\u2028\\u200b'");
    expect(commentText('a\nb\u2028c\u202e')).toBe('a b c ');
  });
});
