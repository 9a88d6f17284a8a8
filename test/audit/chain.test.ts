import { describe, expect, test } from 'vitest';

import { canonicalJson } from '../../src/audit/canonical.ts';
import { hashedText, lineOf, lineOfEntry, readLine, START, type AuditEntry } from '../../src/audit/chain.ts';
import { AUDIT_VERSION } from '../../src/audit/record.ts';
import { verify } from '../../src/audit/verify.ts';
import { Chain, digest } from '../support/audit-chain.ts';
import { withWebDigest } from '../support/web-digest.ts';

const moment = { at: 1_767_225_600_000, mono: 12.345, v: 1 };
const RECORDS = [
  { ...moment, kind: 'opened', run: 'r', level: 'transitions', machines: { connection: '0'.repeat(64) } },
  { ...moment, kind: 'segment', segment: 1 },
  {
    ...{ ...moment, kind: 'step', actor: 'service/connection:é€😀', machine: 'connection@0000000000000000' },
    ...{ from: 'idle', to: { open: 'b"\n' }, event: { type: 'x', n: 1e21, f: -0.5, none: null, list: [1, true] } },
  },
  { ...moment, kind: 'closed' },
];
// written out: a log of this version is read by whoever reads this version, for ever
const LINES = [
  String.raw`{"hash":"0a41a66b8ad37b2fae67ff9998c207eb7490b35c1074d0a116fe977f282de356","prev":"0000000000000000000000000000000000000000000000000000000000000000","record":{"at":1767225600000,"kind":"opened","level":"transitions","machines":{"connection":"0000000000000000000000000000000000000000000000000000000000000000"},"mono":12.345,"run":"r","v":1},"seq":0}`,
  String.raw`{"hash":"a957648fb589455829a677ad1bc0a75cff2fc6cfed32bdf1e6e41cc734efe561","prev":"0a41a66b8ad37b2fae67ff9998c207eb7490b35c1074d0a116fe977f282de356","record":{"at":1767225600000,"kind":"segment","mono":12.345,"segment":1,"v":1},"seq":1}`,
  String.raw`{"hash":"01c9934b57cdd89c826f85bd72b94bc6c3b5418cd8c43e4345fe2b82a89cd05a","prev":"a957648fb589455829a677ad1bc0a75cff2fc6cfed32bdf1e6e41cc734efe561","record":{"actor":"service/connection:é€😀","at":1767225600000,"event":{"f":-0.5,"list":[1,true],"n":1e+21,"none":null,"type":"x"},"from":"idle","kind":"step","machine":"connection@0000000000000000","mono":12.345,"to":{"open":"b\"\n"},"v":1},"seq":2}`,
  String.raw`{"hash":"a393aafaf58cc2f42efa59adda88fd644c05dc71cc17a01d7d3f100ee19db349","prev":"01c9934b57cdd89c826f85bd72b94bc6c3b5418cd8c43e4345fe2b82a89cd05a","record":{"at":1767225600000,"kind":"closed","mono":12.345,"v":1},"seq":3}`,
];

describe('the format of a line', () => {
  test('is the one of its version, to the byte', async () => {
    expect(AUDIT_VERSION).toBe(1);
    let head = START;
    for (const [index, record] of RECORDS.entries()) {
      const hashed = hashedText(head, canonicalJson(record));
      const hash = digest(hashed);
      expect(lineOf(hashed, hash)).toBe(LINES[index]);
      head = { seq: head.seq + 1, hash };
    }
    expect(await verify(LINES)).toMatchObject({ verdict: 'intact', records: 4 });
  });

  test('is the same where hashes are made by WebCrypto', async () => {
    withWebDigest();
    const { Chaining } = await import('../../src/audit/chaining.ts');
    const chaining = new Chaining(undefined, () => ({ at: 0, mono: 0 }));
    expect(await chaining.link(RECORDS.map((record) => canonicalJson(record)))).toEqual(LINES);
  });

  test('begins with 64 zeros, before the number 0', () => {
    expect(START).toEqual({ seq: -1, hash: '0'.repeat(64) });
    expect(hashedText(START, '{}')).toBe(`{"prev":"${'0'.repeat(64)}","record":{},"seq":0}`);
  });

  test('is what an entry is written as, and read from', () => {
    for (const line of LINES) {
      const entry = JSON.parse(line) as AuditEntry;
      expect(lineOfEntry(entry)).toBe(line);
      const read = readLine(line);
      expect(read).toMatchObject({ entry, problem: null });
      expect('hashed' in read && digest(read.hashed)).toBe(entry.hash);
    }
  });
});

describe('a line that is read', () => {
  const [line = ''] = new Chain().add({ kind: 'closed' }).lines;
  const with_ = (from: string | RegExp, to: string): string => line.replace(from, to);

  test.each([
    ['is empty', '', 'it is not an entry of an audit log'],
    ['is other JSON', '{}', 'it is not an entry of an audit log'],
    ['has a hash of other digits', with_(/"hash":"./, '"hash":"X'), 'it is not an entry of an audit log'],
    ['has a shorter hash', with_(/"prev":"./, '"prev":"'), 'it is not an entry of an audit log'],
    ['has a record that is none', with_(/"record":\{.*\}/, '"record":[]}'), 'it is not an entry of an audit log'],
    ['has white space before it', ` ${line}`, 'it is not an entry of an audit log'],
    ['ends too early', line.slice(0, -1), 'it is not JSON'],
    ['has something after it', `${line}}`, 'it is not JSON'],
    ['says its hash twice', with_(/\}$/, `,"hash":"${'0'.repeat(64)}"}`), 'it says something twice'],
    ['says its past twice', with_(/\}$/, `,"prev":"${'1'.repeat(64)}"}`), 'it says something twice'],
    ['says its record twice', with_(/\}$/, ',"record":5}'), 'it says something twice'],
    ['has no number', with_(/,"seq":0/, ''), 'its number is none'],
    ['has a negative number', with_('"seq":0', '"seq":-1'), 'its number is none'],
    ['has half a number', with_('"seq":0', '"seq":0.5'), 'its number is none'],
    ['has a number that is text', with_('"seq":0', '"seq":"0"'), 'its number is none'],
    ['is of no version', with_(',"v":1', ''), 'its record says no version'],
    ['is of a version that is text', with_('"v":1', '"v":"1"'), 'its record says no version'],
    ['is of no kind', with_(/"kind":"closed"/, '"kind":5'), 'its record says no kind'],
  ])('is none where it %s', (_, text, why) => {
    expect(readLine(text)).toEqual({ entry: null, problem: 'malformed', why });
  });

  test('is of the future where its version is a later one, whatever else it says', () => {
    const { entry, problem } = readLine(with_('"kind":"closed"', '"kind":5').replace('"v":1', '"v":2'));
    expect([entry, problem]).toEqual([null, 'future']);
  });

  test('may say more than is known, which is hashed as well', () => {
    const read = readLine(with_(/\}$/, ',"more":1}'));
    expect('hashed' in read && read.hashed.endsWith(',"more":1}')).toBe(true);
  });
});
