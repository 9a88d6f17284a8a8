import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';

import { createSigner, createVerifier } from '../../src/audit/signature.ts';
import { verify } from '../../src/audit/verify.ts';
import { Chain, closed, forged, opened, opening, segment, smallLog, step, steps } from '../support/audit-chain.ts';

const key = new Uint8Array(32).fill(7);
const signer = createSigner({ key, name: 'spring' });
const verifier = createVerifier({ key, name: 'spring' });
const signed = await smallLog(signer);

const problemsOf = async (log: readonly string[], keys = [verifier]) => (await verify(log, { key: keys })).problems;

async function ed25519() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const [own, known] = [
    privateKey.export({ type: 'pkcs8', format: 'der' }),
    publicKey.export({ type: 'spki', format: 'der' }),
  ];
  return {
    signer: createSigner({
      key: await crypto.subtle.importKey('pkcs8', new Uint8Array(own), 'Ed25519', false, ['sign']),
      name: 'autumn',
    }),
    verifier: createVerifier({
      key: await crypto.subtle.importKey('spki', new Uint8Array(known), 'Ed25519', false, ['verify']),
    }),
  };
}
const killed = expect.stringMatching(/^Run 1 has no end: its last record is 12 of /) as string;

describe('a log that somebody wrote anew, with hashes that hold', () => {
  test.each([3, 9, 14])('from record %d on, is intact without a key and broken with it', async (from) => {
    const autumn = await ed25519();
    for (const means of [{ signer, verifier }, autumn]) {
      const fake = forged(
        await smallLog(means.signer),
        from,
        (record) => ({ ...record, actor: 'somebody else' }) as never,
      );
      expect((await verify(fake)).verdict).toBe('intact');
      const { verdict, problems } = await verify(fake, { key: means.verifier });
      expect([verdict, problems[0]?.kind]).toEqual(['broken', 'signature']);
    }
  });

  test('cannot be passed off as one of no seals, or of the seals of another key', async () => {
    const [first, ...more] = await problemsOf(await smallLog());
    expect(first).toMatchObject({ kind: 'unsigned', seq: 5, line: 6, segment: 2 });
    expect(more).toMatchObject([
      { kind: 'unsigned', segment: 3 },
      { kind: 'unsigned', seq: 16, line: 17 },
    ]);
    const thief = createSigner({ key: new Uint8Array(32).fill(8), name: 'thief' });
    expect((await problemsOf(await smallLog(thief))).map(({ kind }) => kind)).toEqual([
      ...['unknown-key', 'unknown-key', 'unknown-key'],
    ]);
    const liar = createSigner({ key: new Uint8Array(32).fill(8), name: 'spring' });
    expect((await problemsOf(await smallLog(liar)))[0]?.kind).toBe('signature');
  });
});

describe('the seals', () => {
  test('hold by one of several keys', async () => {
    const autumn = await ed25519();
    const chain = await new Chain().add(...opening(), step(1)).seal(signer, 1);
    const { lines } = await chain.add(segment(2), closed).seal(autumn.signer, 2);
    expect(await verify(lines, { key: [verifier, autumn.verifier] })).toMatchObject({
      verdict: 'intact',
      signatures: { keys: ['spring', 'autumn'], verified: 2, through: 6 },
    });
    expect(await problemsOf(lines)).toMatchObject([{ kind: 'unknown-key', seq: 6 }]);
  });

  test('are those of their segments', async () => {
    const chain = await new Chain().add(...opening(), step(1)).seal(signer, 2);
    const { lines } = await chain.add(segment(2), closed).seal(signer, 2);
    expect(await problemsOf(lines)).toMatchObject([
      { kind: 'signature', seq: 3, segment: 1, why: 'The seal is that of another segment.' },
    ]);
  });

  test('are missed at the end of a closed log, and not of one that is still written', async () => {
    expect(await problemsOf(signed.slice(0, -1))).toMatchObject([{ kind: 'unsigned', seq: 18, line: 19, segment: 3 }]);
    const { verdict, problems, notes } = await verify(signed.slice(0, -2), { key: verifier });
    expect([verdict, problems.map(({ kind }) => kind)]).toEqual(['open', ['not-closed']]);
    expect(notes).toEqual([killed, 'The records after 11 are not known to be signed.']);
  });

  test('of a segment may be followed by a process that begins to write', async () => {
    const chain = await new Chain().add(...opening(), step(1)).seal(signer, 1);
    const { lines } = await chain.add(opened('b'), segment(2), closed).seal(signer, 2);
    expect(await verify(lines, { key: verifier })).toMatchObject({ verdict: 'intact', signatures: { verified: 2 } });
  });

  test('are not missed where the records before them are missing', async () => {
    const kinds = async (log: readonly string[]) => (await problemsOf(log)).map(({ kind }) => kind);
    const seal = signed.findIndex((line) => line.includes('"kind":"seal"'));
    expect(await kinds(signed.toSpliced(seal, 1))).toEqual(['removed']);
    expect(await kinds(signed.toSpliced(seal - 1, 3))).toEqual(['removed']);
    expect(await kinds(signed.toSpliced(seal - 1, 1))).toEqual(['removed']);
  });

  test('say nothing of a log that was emptied', async () => {
    const { verdict, notes } = await verify(new Chain().add(...opening(), ...steps(3)).lines, { key: verifier });
    expect([verdict, notes]).toEqual([
      'open',
      ['Nothing of the log is known to be signed: whoever can write it may have written all of it.'],
    ]);
  });

  test('are not held against a key of another kind, whatever it is called', async () => {
    const seal = { ...signer, algorithm: 'Ed25519' as const };
    const { lines } = await new Chain().add(...opening(), closed).seal(seal, 1);
    expect((await problemsOf(lines)).map(({ kind }) => kind)).toEqual(['unknown-key']);
  });

  test('speak for nothing where the record before them is missing, or they were changed', async () => {
    const seal = signed.findIndex((line) => line.includes('"kind":"seal"'));
    const { signatures } = await verify(signed.toSpliced(seal - 1, 1), { key: verifier });
    expect(signatures.verified).toBe(2);
    const changed = signed.with(seal, (signed[seal] ?? '').replace('"signature":"', '"signature":"A'));
    expect((await problemsOf(changed)).map(({ kind }) => kind)).toEqual(['edited']);
  });

  test('up to the last record leave nothing to be noted, and a line that was not finished is not missed a seal', async () => {
    expect((await verify(signed, { key: verifier })).notes).toEqual([killed]);
    const torn = [...signed.slice(0, -1), { flaw: 'torn', bytes: 9 } as const];
    expect((await verify(torn, { key: verifier })).problems.map(({ kind }) => kind)).toEqual(['torn']);
  });

  test('name as many keys as are worth naming', async () => {
    const chain = new Chain().add(...opening());
    for (let n = 0; n < 20; n++) await chain.seal({ ...signer, key: `key ${n}` }, 1);
    expect((await verify(chain.lines)).signatures.keys).toHaveLength(16);
  });
});
