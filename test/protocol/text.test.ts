import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { WireClose } from '../../src/protocol/close-codes.ts';
import type { Fields } from '../../src/protocol/fields.ts';
import { FRAMES, MESSAGE_META, type Side } from '../../src/protocol/frames.ts';

const text = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8');
// the shapes that the text calls by a name of their own
const NAMED: Record<string, string> = {
  '{m: count, b: count}': 'window',
  '{frame: count, inflated: count, win: window}': 'limits',
  '{iv: count, to: count}': 'ping',
};

/** Fields as PROTOCOL.md writes them. */
function written(fields: Fields): string {
  return Object.entries(fields)
    .map(([name, field]) => `${name}: ${writtenField(field)}`)
    .join(', ');
}

function writtenField(field: Fields[string]): string {
  if (typeof field === 'string') return field;
  if (isList(field)) return '[message]';
  const shape = `{${written(field)}}`;
  return NAMED[shape] ?? shape;
}

function isList(field: Fields | readonly [Fields]): field is readonly [Fields] {
  return Array.isArray(field);
}

const both = new Set(Object.keys(FRAMES.server).filter((type) => type in FRAMES.client && type !== 'auth'));
const tables: Record<Side, Record<string, Fields>> = FRAMES;
const rows = (['server', 'client'] as const).flatMap((side) =>
  Object.entries(tables[side]).map(([type, fields]) => [both.has(type) ? 'either' : side, type, fields] as const),
);

describe('PROTOCOL.md', () => {
  test.each(rows)('describes what %s sends as %s as it is checked', (side, type, fields) => {
    expect(text).toContain(`| \`${type}\` | ${side} | ${written(fields)} |`);
  });

  test('describes a message as it is checked', () => {
    expect(text).toContain(`{d: json, ${written(MESSAGE_META)}}`);
  });

  test('has a row for every close code, and no other', () => {
    const table = text.slice(text.lastIndexOf('### Close codes'));
    const codes = [...table.matchAll(/^\| (\d{4}) \|/gm)].map(([, code]) => Number(code));
    expect(codes).toEqual(Object.values(WireClose));
  });
});
