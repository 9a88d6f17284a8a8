import { beforeEach, describe, expect, test } from 'vitest';

import type { AuditEntry } from '../../src/audit/chain.ts';
import { hashes, type Hashes } from '../../src/audit/definitions.ts';
import type { AuditRecord } from '../../src/audit/record.ts';
import { replay, Replaying } from '../../src/audit/replay.ts';
import { logged, type Of } from '../support/audit-log.ts';

const known = hashes() as Hashes;
let lines: string[] = [];
let records: AuditRecord[] = [];

beforeEach(async () => {
  const one = logged();
  const { id } = await one.r.open();
  one.r.sockets.last.ends(1006);
  await one.r.reopen();
  void one.r.service.sendMessage(id, 'x');
  await one.pass();
  await one.end();
  ({ lines, records } = one);
});

function replayed(log: readonly AuditRecord[] = records) {
  const replaying = new Replaying(known);
  for (const [seq, record] of log.entries()) replaying.take(record, seq);
  return replaying.result;
}

/** The log with one turn of a connection changed, the first that has what is changed. */
function edited(what: keyof Of<'step'>, change: (record: Of<'step'>) => unknown) {
  const at = records.findIndex(
    (record) => record.kind === 'step' && record[what] !== undefined && record.machine.startsWith('connection@'),
  );
  const record = records[at] as Of<'step'>;
  return { at, record, result: replayed(records.with(at, { ...record, [what]: change(record) })) };
}

describe('a replay', () => {
  test('of what happened is equal, and says how much that was', async () => {
    const result = await replay(lines);
    const steps = records.filter(({ kind }) => kind === 'started' || kind === 'step') as Of<'step'>[];
    expect(result).toEqual({
      ...{ verdict: 'equal', turns: steps.length, skipped: 0, actors: 6, diverged: 0, divergences: [] },
      transitions: steps.flatMap(({ transitions = [] }) => transitions).length,
      ...{ otherMachines: [], unknownMachines: [] },
    });
    expect(replayed()).toEqual(result);
  });

  test('of a log without turns is empty', async () => {
    expect(await replay([])).toMatchObject({ verdict: 'empty', turns: 0 });
    expect(await replay(lines.slice(0, 3))).toMatchObject({ verdict: 'empty' });
  });

  test('passes over what is no entry, and over records that tell of no actor', async () => {
    expect(await replay(['', '{}', ...lines, { flaw: 'torn', bytes: 3 }])).toMatchObject({ verdict: 'equal' });
    const others = ['attached', 'detached', 'counts', 'fate', 'seal', 'checkpoint', 'closed', 'segment', 'more'];
    const mixed = records.flatMap((record) => [record, ...others.map((kind) => ({ kind }) as AuditRecord)]);
    expect(replayed(mixed)).toMatchObject({ verdict: 'equal', skipped: 0 });
  });
});

describe('what was changed is found', () => {
  test.each([
    ['from', (): unknown => 'elsewhere'],
    ['to', (): unknown => 'elsewhere'],
    ['transitions', ({ transitions = [] }: Of<'step'>): unknown => transitions.slice(1)],
    ['transitions', ({ transitions = [] }: Of<'step'>): unknown => [{ ...transitions[0], on: 'else' }]],
    ['effects', ({ effects = [] }: Of<'step'>): unknown => [...effects, 'more']],
    ['delays', ({ delays = [] }: Of<'step'>): unknown => delays.map((delay) => ({ ...delay, ms: delay.ms + 1 }))],
    ['context', ({ context }: Of<'step'>): unknown => ({ ...context, more: 1 })],
  ] as const)('as what it is: %s', (what, change) => {
    const { at, record, result } = edited(what, change);
    expect(result).toMatchObject({ verdict: 'diverged', diverged: 1 });
    expect(result.divergences).toMatchObject([
      { seq: at, actor: record.actor, machine: 'connection', event: record.event.type, what, recorded: change(record) },
    ]);
    expect(result.skipped).toBeGreaterThan(0);
  });

  test('where it is left out, of transitions, effects, delays and context', () => {
    for (const what of ['transitions', 'effects', 'delays', 'context'] as const) {
      expect(edited(what, () => undefined).result.divergences).toMatchObject([{ what }]);
    }
  });

  test('where the event is another', () => {
    const { result } = edited('transitions', (record) => record.transitions);
    expect(result.verdict).toBe('equal');
    const { at, result: other } = edited('event', () => ({ type: 'network.changed', network: 'offline' }));
    expect(other.divergences[0]).toMatchObject({ seq: at });
    expect(other.verdict).toBe('diverged');
  });

  test('in the order in which the log tells it, the first of each actor, the first hundred of all', () => {
    const all = records.map((record) => (record.kind === 'started' ? { ...record, to: 'elsewhere' } : record));
    const result = replayed(all);
    // who was started before takes nothing more; who follows another log is not there yet
    expect(result).toMatchObject({ verdict: 'diverged', diverged: result.divergences.length });
    expect(result.divergences.map(({ seq }) => seq)).toEqual(
      result.divergences.map(({ seq }) => seq).toSorted((a, b) => a - b),
    );
    const many = replayed(Array.from({ length: 30 }, () => all).flat());
    expect([many.diverged, many.divergences.length]).toEqual([30 * result.diverged, 100]);
  });

  test('unless it is not there because it was redacted', () => {
    for (const what of ['from', 'to', 'context'] as const) {
      expect([what, edited(what, () => '[redacted]').result.divergences]).toEqual([what, []]);
    }
    const withheld = edited('context', ({ context = {} }) =>
      Object.fromEntries(Object.keys(context).map((key) => [key, '[redacted]'])),
    );
    expect(withheld.result.verdict).toBe('equal');
  });

  test('as a list in the place of an object', () => {
    const { result } = edited('delays', ({ delays = [] }) => Object.fromEntries(Object.entries(delays)));
    expect(result.divergences).toMatchObject([{ what: 'delays' }]);
  });
});

describe('an actor', () => {
  const ofConnection = () =>
    records.filter((record) => 'machine' in record && record.machine.startsWith('connection@'));

  test('of which the beginning is not there is passed over', () => {
    const rest = ofConnection().slice(1);
    const steps = rest.filter(({ kind }) => kind === 'step').length;
    expect(replayed(rest)).toMatchObject({ verdict: 'empty', turns: 0, skipped: steps, actors: 0 });
  });

  test('is not followed through a gap, or another run', () => {
    for (const kind of ['gap', 'opened']) {
      const [first, ...rest] = ofConnection();
      const result = replayed([first, { kind }, ...rest] as AuditRecord[]);
      expect(result).toMatchObject({ verdict: 'equal', turns: 1 });
      expect(result.skipped).toBeGreaterThan(5);
    }
  });

  test('that has ended or died needs another beginning', () => {
    for (const kind of ['stopped', 'died']) {
      const [first, second] = ofConnection();
      const result = replayed([first, { ...first, kind }, second] as AuditRecord[]);
      expect(result).toMatchObject({ turns: 1, skipped: 1 });
    }
  });

  test('can be followed from a state on', async () => {
    const one = logged({ isLate: true });
    await one.r.open();
    one.log.attach(one.r.service);
    one.r.sockets.last.ends(1006);
    await one.r.reopen();
    await one.end();
    expect(one.of('state').map(({ machine }) => machine.split('@')[0])).toContain('connection');
    expect(await replay(one.lines)).toMatchObject({ verdict: 'equal', skipped: 0 });
    const at = one.records.findIndex(
      ({ kind, ...record }) => kind === 'state' && (record as Of<'state'>).machine.startsWith('connection@'),
    );
    const state = one.records[at] as Of<'state'>;
    for (const [changes, what] of [
      [{ to: 'closed' }, 'from'],
      [{ to: 'nowhere' }, 'to'],
    ] as const) {
      const { divergences } = replayed(one.records.with(at, { ...state, ...changes }));
      expect(divergences[0]?.what).toBe(what);
    }
  });

  test('of another version of a machine is compared all the same, and that is said', () => {
    const other = records.map((record) =>
      'machine' in record
        ? { ...record, machine: record.machine.replace(/^outbox@.*/, 'outbox@0000000000000000') }
        : record,
    );
    expect(replayed(other)).toMatchObject({
      verdict: 'equal',
      otherMachines: [{ machine: 'outbox', recorded: '0000000000000000', here: known['outbox']?.slice(0, 16) }],
    });
  });

  test('of an unknown machine is passed over, and that is said', () => {
    const step = records.find(({ kind }) => kind === 'step') as Of<'step'>;
    expect(
      replayed([{ ...step, machine: 'robot@00' }, { ...step, kind: 'state', machine: 'robot@00' } as never]),
    ).toMatchObject({
      ...{ verdict: 'empty', turns: 0, unknownMachines: ['robot'] },
    });
  });

  test('whose code throws has diverged by its event', () => {
    const at = records.findIndex(
      (record) =>
        record.kind === 'step' && record.event.type === 'connection.requested' && record.machine.startsWith('group@'),
    );
    const event = { type: 'connection.requested', input: null };
    const { divergences } = replayed(records.with(at, { ...(records[at] as Of<'step'>), event }));
    expect(divergences[0]).toMatchObject({ seq: at, machine: 'group', what: 'event', recorded: event });
    expect(divergences[0]?.replayed).toMatch(/^Error: Unable to evaluate guard/);
  });

  test('of which a record makes no sense is not followed any further', () => {
    const { result } = edited('effects', () => 5);
    expect(result).toMatchObject({ verdict: 'equal', diverged: 0 });
    expect(result.skipped).toBeGreaterThan(1);
  });
});

test('no record makes it throw, however strange', () => {
  const values = [undefined, null, 5, 'x', {}, [], { type: 5 }, { type: 'x' }];
  for (const kind of ['started', 'step', 'state', 'stopped', 'died', 'gap', 'x']) {
    for (const field of ['actor', 'machine', 'event', 'from', 'to', 'context', 'children', 'transitions', 'effects']) {
      for (const value of values) {
        const base = records.find((record) => record.kind === 'step') as Of<'step'>;
        const strange = { ...base, kind, children: [], [field]: value } as unknown as AuditRecord;
        expect(() => replayed([...records.slice(0, 6), strange, strange])).not.toThrow();
      }
    }
  }
  const entry = JSON.parse(lines[0] ?? '') as AuditEntry;
  expect(entry.seq).toBe(0);
});
