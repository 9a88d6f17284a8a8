import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { AuditEntry } from '../../src/audit/chain.ts';
import { createSigner, createVerifier } from '../../src/audit/signature.ts';
import { linesOf } from '../../src/audit/source.ts';
import type { AuditLine } from '../../src/audit/source.ts';
import { verify } from '../../src/audit/verify.ts';
import { Chain, closed, opened, opening, segment, smallLog, step, steps } from '../support/audit-chain.ts';

const key = new Uint8Array(32).fill(7);
const signer = createSigner({ key, name: 'spring' });
const killed = expect.stringMatching(/^Run 1 has no end: its last record is 1[02] of /) as string;
const verifier = createVerifier({ key, name: 'spring' });

const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** Bytes as a reader of files takes them. */
function read(bytes: Uint8Array): AuditLine[] {
  return linesOf(Buffer.from(bytes).toString('latin1')).map((line) => {
    if (typeof line !== 'string') return line;
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(line, 'latin1'));
    } catch {
      return { flaw: 'encoding', bytes: line.length };
    }
  });
}

/** Where the line is that a byte is in, from 1. */
function lineAt(text: string, byte: number): number {
  return text.slice(0, byte).split('\n').length;
}

describe('a log', () => {
  test('that is whole and closed is intact', async () => {
    expect(await verify(await smallLog())).toMatchObject({
      ...{
        verdict: 'intact',
        lines: 17,
        records: 17,
        segments: 3,
        runs: 2,
        unended: 1,
        counts: {},
        problems: [],
        notes: [killed],
      },
      first: { seq: 0, at: 1_764_144_288_010 },
      last: { seq: 16, at: 1_764_144_288_170, hash: expect.stringMatching(/^[\da-f]{64}$/) as string },
      signatures: { keys: [], verified: 0, through: null },
      checkpoints: null,
    });
  });

  test('that goes on after a run without an end is intact, and a note says so', async () => {
    const first = [...opening(), ...steps(3)];
    const note = (run: number, seq: number, ms: string) =>
      `Run ${run} has no end: its last record is ${seq} of 2025-11-26T08:04:48.${ms}Z. Its process was killed, or its end was cut off; only a checkpoint tells which.`;
    const chain = new Chain().add(...first, { ...opened('b'), torn: 17 }, closed);
    expect(await verify(chain.lines)).toMatchObject({
      ...{ verdict: 'intact', runs: 2, unended: 1 },
      notes: [
        note(1, 4, '050'),
        'The log says that 17 bytes of lines that were not finished were cut off, at 1 place.',
      ],
    });
    const many = new Chain().add(...first, ...['b', 'c', 'd', 'e', 'f'].map(opened), closed);
    const { unended, notes } = await verify(many.lines);
    expect([unended, notes.length, notes.at(-1)]).toEqual([5, 4, 'And 2 runs more without an end.']);
  });

  test('has an end where only its seal, a segment or what was removed lies between that and another run', async () => {
    const chain = new Chain().add(...opening(), closed);
    await chain.seal(signer, 1);
    chain.add(segment(2), { kind: 'retention', removed: [] }, opened('b'), closed);
    expect(await verify(chain.lines, { key: verifier })).toMatchObject({ unended: 0 });
  });

  test('is of all the time that records of actors are of, whatever it says of itself', async () => {
    const [first = step(0), second = step(0)] = opening();
    const chain = new Chain().add({ ...first, at: 900 }, { ...second, at: 900 }, { ...step(1), at: 700 });
    chain.add({ ...step(2), at: 1_500 }, { ...closed, at: 1_400 });
    expect(await verify(chain.lines)).toMatchObject({ first: { seq: 0, at: 700 }, last: { seq: 4, at: 1_500 } });
  });

  test('that is signed is intact with its key, and without one a note says so', async () => {
    const lines = await smallLog(signer);
    expect(await verify(lines, { key: verifier })).toMatchObject({
      ...{ verdict: 'intact', records: 20, notes: [killed] },
      signatures: { keys: ['spring'], verified: 3, through: 19 },
    });
    expect(await verify(lines)).toMatchObject({
      verdict: 'intact',
      notes: [killed, 'The log is signed, and no key was given: the signatures were not looked at.'],
    });
  });

  test('is the same as lines, as entries, and one after the other', async () => {
    const lines = await smallLog(signer);
    const broken = lines.toSpliced(4, 1);
    for (const log of [lines, broken]) {
      const expected = await verify(log, { key: verifier });
      const entries = log.map((line) => JSON.parse(line) as AuditEntry);
      expect(await verify(entries, { key: verifier })).toEqual(expected);
      expect(await verify(new Set(log), { key: verifier })).toEqual(expected);
      const slowly = async function* () {
        for (const line of log) {
          await Promise.resolve();
          yield line;
        }
      };
      expect(await verify(slowly(), { key: verifier })).toEqual(expected);
    }
  });

  test('that is empty, or not closed, is open', async () => {
    expect(await verify([])).toMatchObject({ verdict: 'open', first: null, last: null, counts: { 'not-closed': 1 } });
    const { verdict, problems } = await verify(new Chain().add(...opening(), step(1)).lines);
    expect(verdict).toBe('open');
    expect(problems).toMatchObject([{ kind: 'not-closed', seq: 3, line: 4, segment: 1 }]);
  });

  test('says what it lost itself, and of a clock that ran backwards', async () => {
    const chain = new Chain().add(...opening(), { kind: 'gap', lost: 7, since: 1 }, { kind: 'gap', lost: 5, since: 1 });
    const { verdict, lost, notes } = await verify(
      chain.add({ ...step(1), mono: 2 }, { ...step(2), mono: 1 }, { kind: 'closed' }).lines,
    );
    expect([verdict, lost]).toEqual(['intact', { gaps: 2, records: 12 }]);
    expect(notes).toEqual([
      'The log says that 12 records went missing, at 2 places: a sink was too slow, or failed.',
      'The clock that never runs backwards did so at 1 place, first at record 5.',
    ]);
  });
});

describe('whatever is done to a log shows', () => {
  test('each byte that is changed', { timeout: 60_000 }, async () => {
    const text = textOf(await smallLog(signer));
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at++) {
      for (const pattern of [0x01, 0x20, 0x80, 0xff]) {
        const changed = Uint8Array.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ pattern;
        const { verdict, problems } = await verify(read(changed), { key: verifier });
        const line = lineAt(text, at);
        if (verdict === 'intact' || Math.abs((problems[0]?.line ?? 0) - line) > 1) {
          expect.fail(`byte ${at} in line ${line} by ${pattern}: ${verdict}, ${JSON.stringify(problems[0])}`);
        }
      }
    }
  });

  test('each byte that it may be cut at', { timeout: 60_000 }, async () => {
    const text = textOf(await smallLog(signer));
    for (let length = 0; length < text.length; length++) {
      const { verdict, problems } = await verify(linesOf(text.slice(0, length)), { key: verifier });
      const isWhole = text[length - 1] === '\n' || length === 0;
      const kinds = problems.map(({ kind }) => kind);
      if (verdict === 'intact' || !kinds.some((kind) => kind !== 'torn') !== !isWhole) {
        expect.fail(`cut at ${length}: ${verdict}, ${JSON.stringify(problems)}`);
      }
      if (!isWhole) expect([verdict, kinds, problems[0]?.line]).toEqual(['open', ['torn'], lineAt(text, length)]);
    }
  });

  test('each two lines that change places', async () => {
    const lines = await smallLog();
    for (let one = 0; one < lines.length; one++) {
      for (let other = one + 1; other < lines.length; other++) {
        const swapped = lines.with(one, lines[other] ?? '').with(other, lines[one] ?? '');
        const { verdict, counts, problems } = await verify(swapped);
        expect([one, other, verdict, counts.reordered, problems[0]?.line]).toEqual([one, other, 'broken', 1, one + 1]);
        expect(problems[0]).toMatchObject({ kind: 'reordered', seq: one });
      }
    }
  });

  test('each run of lines that is taken out', async () => {
    const lines = await smallLog();
    for (let from = 0; from < lines.length; from++) {
      for (let count = 1; from + count <= lines.length; count++) {
        const { verdict, problems } = await verify(lines.toSpliced(from, count));
        const isTail = from + count === lines.length;
        const kind = isTail ? 'not-closed' : from === 0 ? 'beginning' : 'removed';
        expect(problems[0], `${count} from ${from}`).toMatchObject({ kind, seq: from, line: from + 1 });
        expect(problems[0]?.through ?? from).toBe(isTail ? from : from + count - 1);
        expect([verdict, problems.length <= 2]).toEqual([isTail ? 'open' : 'broken', true]);
      }
    }
  });

  test('each line that is doubled, somewhere later', async () => {
    const lines = await smallLog();
    for (let which = 0; which < lines.length; which++) {
      for (let at = which + 1; at <= lines.length; at++) {
        const { verdict, problems } = await verify(lines.toSpliced(at, 0, lines[which] ?? ''));
        expect([which, at, verdict]).toEqual([which, at, 'broken']);
        expect(problems).toMatchObject([{ kind: 'duplicated', seq: which, line: at + 1 }]);
      }
    }
  });

  test('garbage, which never makes it throw or wait', async () => {
    const line = fc.oneof(fc.string(), fc.constant({ flaw: 'torn', bytes: 3 }), fc.jsonValue(), fc.constant(undefined));
    const lines = await smallLog(signer);
    const real = fc.nat(lines.length - 1).map((index) => lines[index] ?? '');
    const twisted = fc
      .record({ line: real, at: fc.nat(400), text: fc.string({ maxLength: 12 }) })
      .map(({ line, at, text }) => line.slice(0, at) + text + line.slice(at + text.length));
    const odd = fc
      .tuple(fc.jsonValue(), fc.constantFrom('seal', 'segment', 'retention', 'gap', 'checkpoint', 'opened'))
      .map(([value, kind]) => {
        const of = { seq: value, hash: value, of: value, segment: value, removed: [value], lost: value };
        return new Chain().add({ ...of, kind, at: value, mono: value, key: value, algorithm: value }).lines[0];
      });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(line, real, twisted, odd), { maxLength: 30 }), async (garbage) => {
        const log = garbage as AuditLine[];
        const { lines: read } = await verify(log, { key: verifier, checkpoints: log });
        expect(read).toBe(garbage.length);
      }),
      { numRuns: 300 },
    );
  });
});

describe('verifying', () => {
  test('takes no more memory for a long log, and lets others have their turn', { timeout: 60_000 }, async () => {
    const records = 300_000;
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    let most = 0;
    const before = process.memoryUsage().heapUsed;
    const log = function* () {
      const chain = new Chain().add(...opening());
      for (let n = 0; n < records; n++) {
        if (n % 10_000 === 0) chain.add(segment(2 + n / 10_000));
        chain.add(step(n));
        yield* chain.lines.splice(0);
      }
      yield* chain.add({ kind: 'closed' }).lines;
    };
    const seen: number[] = [];
    const { verdict, lines } = await verify(log(), {
      onProgress: (count) => {
        seen.push(count);
        most = Math.max(most, process.memoryUsage().heapUsed);
      },
    });
    clearInterval(timer);
    expect([verdict, lines]).toEqual(['intact', records + 33]);
    expect(seen.at(-1)).toBe(lines);
    expect(turns).toBeGreaterThan(20);
    expect((most - before) / 2 ** 20).toBeLessThan(150);
  });

  test('keeps the first hundred problems, and counts all', async () => {
    const lines = new Chain().add(...opening(), ...steps(500)).lines;
    const { problems, counts } = await verify(lines.map((line, index) => (index % 2 ? line.replace('a', 'b') : line)));
    expect(problems).toHaveLength(100);
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(252);
  });

  test('refuses what is no log, and rejects as its source does', async () => {
    await expect(verify('a log' as never)).rejects.toThrow('source: must be an iterable of lines or entries');
    await expect(verify([], { key: 'secret' as never })).rejects.toThrow(/key: must be a verifier/);
    const failing = async function* (): AsyncGenerator<AuditLine> {
      yield await Promise.reject(new Error('disk'));
    };
    await expect(verify(failing())).rejects.toThrow('disk');
  });
});
