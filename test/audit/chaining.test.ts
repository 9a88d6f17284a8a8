import { describe, expect, test } from 'vitest';

import type { AuditEntry } from '../../src/audit/chain.ts';
import { bodyOf, Chaining } from '../../src/audit/chaining.ts';
import { verify } from '../../src/audit/verify.ts';
import { smallLog } from '../support/audit-chain.ts';
import { signerAtOnce } from '../support/audit-trail.ts';
import { withWebDigest } from '../support/web-digest.ts';

const opened = { run: 'run', machines: {}, level: 'transitions' } as const;
const signer = signerAtOnce(new Uint8Array(32).fill(7));
const now = () => ({ at: 5, mono: 6 });
const recordsOf = (lines: readonly string[]) => lines.map((line) => (JSON.parse(line) as AuditEntry).record);
const kindsOf = (lines: readonly string[]) => recordsOf(lines).map(({ kind }) => kind);

test('a record of no actor says its version and when it was made', () => {
  expect(bodyOf('gap', { lost: 1, since: 2 }, { at: 3, mono: 4.5 })).toBe(
    '{"at":3,"kind":"gap","lost":1,"mono":4.5,"since":2,"v":1}',
  );
});

describe('a chain', () => {
  test('begins with what it is, and says how far it is', async () => {
    const chaining = new Chaining(undefined, now);
    expect(chaining.head.seq).toBe(-1);
    const lines = await chaining.begin(null, opened);
    expect(kindsOf(lines)).toEqual(['opened', 'segment']);
    expect(recordsOf(lines)).toMatchObject([opened, { segment: 1 }]);
    const { hash, seq } = JSON.parse(lines.at(-1) ?? '') as AuditEntry;
    expect(chaining.head).toEqual({ seq, hash });
    expect(await chaining.seal()).toEqual([]);
  });

  test('that could not begin begins at the same place', async () => {
    const chaining = new Chaining(undefined, now);
    const first = await chaining.begin(null, opened);
    expect(await chaining.begin(null, opened)).toEqual(first);
  });

  test('goes on where another has ended', async () => {
    const [line = ''] = (await smallLog()).slice(-1);
    const { seq, hash } = JSON.parse(line) as AuditEntry;
    const lines = await new Chaining(undefined, now).begin({ line, segment: 3 }, opened);
    expect(lines.map((each) => JSON.parse(each) as AuditEntry)).toMatchObject([{ seq: seq + 1, prev: hash }]);
  });

  test('seals once what there is, and again what has come since', async () => {
    const chaining = new Chaining(signer, now);
    await chaining.begin(null, opened);
    const before = chaining.head.hash;
    const [seal] = recordsOf(await chaining.seal());
    expect(seal).toMatchObject({ kind: 'seal', algorithm: 'HMAC-SHA-256', key: 'spring', segment: 1 });
    expect(seal).toMatchObject({ signature: await signer.sign(1, before) });
    expect(await chaining.seal()).toEqual([]);
    await chaining.turn([]);
    expect(recordsOf(await chaining.seal())).toMatchObject([{ kind: 'seal', segment: 2 }]);
  });

  test('says what was removed where another segment begins, if anything was', async () => {
    const chaining = new Chaining(undefined, now);
    await chaining.begin(null, opened);
    expect(recordsOf(await chaining.turn([]))).toMatchObject([{ kind: 'segment', segment: 2 }]);
    const removed = [{ segment: 1, seq: 1, hash: 'a' }];
    expect(recordsOf(await chaining.turn(removed))).toMatchObject([{ segment: 3 }, { kind: 'retention', removed }]);
    const wrong = [{ segment: 0 }, { seq: -1 }, { hash: 5 }].map((fields) => [{ ...removed[0], ...fields }]);
    for (const lie of [...wrong, [null], 'x', { length: 1 }]) {
      expect(kindsOf(await chaining.turn(lie))).toEqual(['segment']);
    }
  });

  test('is the same where hashes are made by WebCrypto', async () => {
    const made = async (of: typeof Chaining) => {
      const chaining = new of(signer, now);
      return [
        ...(await chaining.begin(null, opened)),
        ...(await chaining.link(['{"kind":"a","v":1}', '{"kind":"b","v":1}'])),
        ...(await chaining.seal()),
        ...(await chaining.turn([])),
        ...(await chaining.link([bodyOf('closed', {}, now())])),
      ];
    };
    const expected = await made(Chaining);
    withWebDigest();
    const web = await import('../../src/audit/chaining.ts');
    expect(await made(web.Chaining)).toEqual(expected);
    expect(await verify(expected)).toMatchObject({ verdict: 'intact', records: 7 });
  });
});
