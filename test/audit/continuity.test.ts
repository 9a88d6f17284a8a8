import { describe, expect, test } from 'vitest';

import type { AuditEntry } from '../../src/audit/chain.ts';
import { START } from '../../src/audit/chain.ts';
import { short } from '../../src/audit/continuity.ts';
import { verify } from '../../src/audit/verify.ts';
import { Chain, closed, digest, loose, opening, segment, smallLog, step, steps } from '../support/audit-chain.ts';

const lines = await smallLog();
const entries = lines.map((line) => JSON.parse(line) as AuditEntry);
const headAt = (seq: number) => ({ seq, hash: entries[seq]?.hash ?? '' });
const problemsOf = async (log: readonly string[]) => (await verify(log)).problems;

describe('a record', () => {
  test('that is edited is found by its own hash, and costs no other', async () => {
    const edited = lines.with(7, lines[7]?.replace('"connect"', '"reject!"') ?? '');
    expect(await problemsOf(edited)).toEqual([
      {
        ...{ kind: 'edited', seq: 7, line: 8, segment: 2 },
        why: expect.stringMatching(
          /^Its hash is .{12}…, and its line says .{12}…: it is not what was written\.$/,
        ) as string,
      },
    ]);
  });

  test('whose number is edited is found in its place', async () => {
    expect(await problemsOf(lines.with(7, lines[7]?.replace('"seq":7', '"seq":99') ?? ''))).toMatchObject([
      { kind: 'edited', seq: 7, line: 8 },
    ]);
  });

  test.each(['hash', 'prev'])('whose %s is edited is found', async (name) => {
    const edited = lines[7]?.replace(new RegExp(`"${name}":"....`), `"${name}":"0000`) ?? '';
    expect(await problemsOf(lines.with(7, edited))).toMatchObject([{ kind: 'edited', seq: 7, line: 8 }]);
  });

  test('that is replaced by one with a hash of its own is found by the next', async () => {
    const problems = await problemsOf(lines.with(7, loose(headAt(6), step(99))));
    expect(problems).toMatchObject([{ kind: 'replaced', seq: 7, line: 8, segment: 2 }]);
    expect(problems[0]?.why).toBe(
      `Its hash is ${short(digestOf(loose(headAt(6), step(99))))}, and record 8 was linked to ${short(headAt(7).hash)}.`,
    );
  });

  test('that is put in is found, wherever it says that it belongs', async () => {
    for (const [at, head] of [
      [8, headAt(7)],
      [8, headAt(6)],
      [8, { seq: 3, hash: 'ab'.repeat(32) }],
    ] as const) {
      const [problem, ...more] = await problemsOf(lines.toSpliced(at, 0, loose(head, step(99))));
      expect([problem?.kind, more]).toEqual(['inserted', []]);
      expect(Math.abs((problem?.line ?? 0) - 9)).toBeLessThan(2);
    }
  });

  test('that is put in with a number to come leaves the others to be heeded', async () => {
    const [problem] = await problemsOf(
      lines.toSpliced(8, 0, loose({ seq: 1_000_000, hash: headAt(7).hash }, step(99))),
    );
    expect(problem).toMatchObject({ kind: 'removed', seq: 8, through: 1_000_000, line: 9 });
  });

  test('that is of a later version is told so', async () => {
    const future = lines.with(7, loose(headAt(6), { ...step(99), v: 2 }));
    expect(await problemsOf(future)).toMatchObject([
      { kind: 'future', seq: 7, line: 8, why: expect.stringContaining('version 2') as string },
    ]);
  });

  test('that says a thing twice is none', async () => {
    const twice = lines[7] ?? '';
    for (const more of ['"record":null', '"hash":5', '"prev":["x"]']) {
      const [problem] = await problemsOf(lines.with(7, twice.replace(',"seq":7', `,${more},"seq":7`)));
      expect(problem).toMatchObject({ kind: 'malformed', seq: 7, line: 8 });
    }
  });
});

describe('a line that cannot be read', () => {
  test('explains that its record is missing, and no more', async () => {
    expect(await problemsOf(lines.with(7, 'garbage'))).toMatchObject([{ kind: 'malformed', seq: 7, line: 8 }]);
    expect(await problemsOf(lines.toSpliced(7, 2, 'garbage'))).toMatchObject([
      { kind: 'malformed', seq: 7, line: 8 },
      { kind: 'removed', seq: 7, through: 8, line: 9, why: expect.stringContaining('but for 1 that') as string },
    ]);
    expect(await problemsOf(lines.with(0, ''))).toMatchObject([{ kind: 'malformed', seq: 0, line: 1 }]);
  });

  test('that was put in costs no other', async () => {
    expect(await problemsOf(lines.toSpliced(7, 0, 'garbage'))).toMatchObject([{ kind: 'malformed', line: 8 }]);
  });
});

describe('records that are missing', () => {
  test('are told with the segments that are missing as a whole', async () => {
    expect(await problemsOf(lines.toSpliced(5, 5))).toMatchObject([
      {
        ...{ kind: 'removed', seq: 5, through: 9, line: 6, segment: 1, segments: { first: 2, last: 2 } },
        why: 'Records 5 to 9 are missing: segment 2 is missing as a whole.',
      },
    ]);
    const long = new Chain().add(...opening());
    for (let number = 2; number < 7; number++) long.add(step(1), segment(number), step(2));
    const log = long.add(closed).lines;
    const second = log.findIndex((line) => line.includes('"segment":2'));
    const fifth = log.findIndex((line) => line.includes('"segment":5'));
    const [problem] = await problemsOf(log.toSpliced(second - 1, fifth + 2 - second));
    expect(problem).toMatchObject({ kind: 'removed', segments: { first: 2, last: 4 } });
  });

  test('within a segment are no segment', async () => {
    const [problem] = await problemsOf(lines.toSpliced(6, 2));
    expect(problem).toMatchObject({ kind: 'removed', seq: 6, through: 7, segment: 2 });
    expect(problem).not.toHaveProperty('segments');
  });

  test('at the beginning are explained by a record of retention that ends where the log begins', async () => {
    const end = headAt(4);
    const rest = new Chain(headAt(4)).add(segment(2), ...steps(2), segment(3));
    const kept = rest.add({ kind: 'retention', removed: [{ segment: 1, ...end }] }, step(9), closed).lines;
    expect(await verify(kept)).toMatchObject({ verdict: 'intact', removed: 1, first: { seq: 5 } });
    expect(await problemsOf(kept.slice(1))).toMatchObject([{ kind: 'beginning', seq: 0, through: 5, line: 1 }]);
    const other = new Chain(end).add(segment(2), { kind: 'retention', removed: [{ segment: 1, seq: 4, hash: 'x' }] });
    expect(await problemsOf(other.add(closed).lines)).toMatchObject([{ kind: 'beginning', through: 4, line: 1 }]);
  });
});

describe('records in another place', () => {
  test('are one thing, however many they are', async () => {
    const moved = [...lines.slice(0, 3), ...lines.slice(9), ...lines.slice(3, 9)];
    expect(await problemsOf(moved)).toMatchObject([{ kind: 'reordered', seq: 3, through: 8, line: 4 }]);
  });

  test('are not taken for it where one of them is still missing', async () => {
    const moved = [...lines.slice(0, 3), ...lines.slice(9), ...lines.slice(3, 8)];
    expect((await problemsOf(moved))[0]).toMatchObject({ kind: 'removed', seq: 3, through: 8, line: 4 });
  });
});

describe('another log', () => {
  const other = new Chain().add(...opening('z'), ...steps(4, 50), closed).lines;

  test('that is appended is foreign, as one thing', async () => {
    expect(await problemsOf([...lines, ...other])).toMatchObject([{ kind: 'foreign', seq: 0, through: 6, line: 18 }]);
  });

  test('that is put in the middle does not hide that this one goes on', async () => {
    expect(await problemsOf(lines.toSpliced(8, 0, ...other))).toMatchObject([{ kind: 'foreign', line: 9 }]);
  });

  test('without its beginning does not fit', async () => {
    const [problem, ...more] = await problemsOf([...lines, ...other.slice(2)]);
    expect(problem).toMatchObject({ kind: 'inserted', seq: 2, through: 6, line: 18 });
    expect(more).toEqual([]);
  });

  test('that is this one again is a duplicate', async () => {
    expect(await problemsOf([...lines, ...lines])).toMatchObject([{ kind: 'duplicated', seq: 0, through: 16 }]);
  });

  test('cannot begin with a link to a record', async () => {
    const rootless = new Chain({ seq: START.seq, hash: 'ab'.repeat(32) }).add(...opening(), closed).lines;
    expect(await problemsOf(rootless)).toMatchObject([{ kind: 'replaced', seq: 0, line: 1 }]);
  });
});

function digestOf(line: string): string {
  return digest(`{${line.slice(75)}`);
}

describe('what is found is told apart', () => {
  const other = 'ab'.repeat(32);
  const kindsAndNumbers = async (log: readonly string[]) => (await problemsOf(log)).map(({ kind, seq }) => [kind, seq]);

  test('a record that is edited with its hash is one problem', async () => {
    const edited = lines[7]?.replace(/"hash":"..../, '"hash":"0000').replace('"connect"', '"reject!"') ?? '';
    expect(await kindsAndNumbers(lines.with(7, edited))).toEqual([['edited', 7]]);
  });

  test('two that follow each other, of which one has another hash and one another number, are in their places', async () => {
    const hashed = lines[7]?.replace(/"hash":"..../, '"hash":"0000') ?? '';
    const numbered = lines[8]?.replace('"seq":8', '"seq":99') ?? '';
    expect(await kindsAndNumbers(lines.with(7, hashed).with(8, numbered))).toEqual([
      ['edited', 7],
      ['edited', 8],
    ]);
  });

  test('one with another number after a line that cannot be read is the next but one', async () => {
    const numbered = lines[8]?.replace('"seq":8', '"seq":99') ?? '';
    const found = await kindsAndNumbers(lines.with(7, 'garbage').with(8, numbered));
    expect(found).toEqual([
      ['malformed', 7],
      ['edited', 8],
    ]);
  });

  test('one that was moved and edited is both', async () => {
    const edited = lines[3]?.replace('"connect"', '"reject!"') ?? '';
    const moved = lines.toSpliced(3, 1).toSpliced(9, 0, edited);
    expect((await kindsAndNumbers(moved)).toSorted()).toEqual([
      ['edited', 10],
      ['reordered', 3],
    ]);
  });

  test('one that is missing alone is no run', async () => {
    const [problem] = await problemsOf(lines.toSpliced(7, 1));
    expect(problem).toMatchObject({ kind: 'removed', seq: 7 });
    expect(problem).not.toHaveProperty('through');
  });

  test('a record 0 that is linked to another does not begin a log', async () => {
    const found = await kindsAndNumbers(lines.toSpliced(6, 0, loose({ seq: -1, hash: other }, step(99))));
    expect(found).toEqual([['inserted', 0]]);
  });

  test('what is linked to another log, or to what was put in, and is not next to it does not belong to it', async () => {
    const foreign = new Chain().add(...opening('other'));
    const [first = ''] = foreign.lines;
    const apart = loose({ seq: 4, hash: digestOf(first) }, step(98));
    expect(await kindsAndNumbers(lines.toSpliced(9, 0, first, apart))).toEqual([
      ['foreign', 0],
      ['inserted', 5],
    ]);
    const put = loose({ seq: 2, hash: other }, step(99));
    const away = loose({ seq: 5, hash: digestOf(put) }, step(98));
    expect(await kindsAndNumbers(lines.toSpliced(9, 0, put, away))).toEqual([
      ['inserted', 3],
      ['inserted', 6],
    ]);
  });

  test('a record of what was removed by age is none that was missing', async () => {
    const chain = new Chain({ seq: 4, hash: other });
    const removed = [{ segment: 1, seq: 4, hash: other }];
    chain.add(segment(2), { kind: 'retention', removed }, ...steps(3), closed);
    expect(await problemsOf(chain.lines)).toEqual([]);
    const put = loose({ seq: 0, hash: other }, step(99));
    expect(await kindsAndNumbers(chain.lines.toSpliced(4, 0, put))).toEqual([['inserted', 1]]);
  });
});

describe('what is remembered of a chain', () => {
  test('are the last 1,024 records: a copy of an older one is told from another record no more', async () => {
    const long = new Chain().add(...opening(), ...steps(1_100)).lines;
    const told = async (seq: number) => (await problemsOf([...long, long[seq] ?? '']))[0];
    const [younger, older] = [long.length - 1_024, long.length - 1_025];
    expect(await told(younger)).toMatchObject({ kind: 'duplicated', why: `Record ${younger} was there already.` });
    expect(await told(older)).toMatchObject({ kind: 'inserted', why: `There was a record ${older} already.` });
    expect((await told(0))?.kind).toBe('duplicated');
  });

  test('are the first eight that claim the place of its last record', async () => {
    const { seq } = headAt(4);
    const rivals = Array.from({ length: 9 }, (_, n) => loose(headAt(3), step(100 + n)));
    const goesOnFrom = async (rival: string) => {
      const next = loose({ seq, hash: (JSON.parse(rival) as AuditEntry).hash }, step(9));
      return (await problemsOf([...lines.slice(0, 5), ...rivals, next])).map(({ kind }) => kind);
    };
    expect(await goesOnFrom(rivals[6] ?? '')).not.toContain('replaced');
    expect(await goesOnFrom(rivals[7] ?? '')).toContain('replaced');
  });
});
