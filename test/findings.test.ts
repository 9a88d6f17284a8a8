import { describe, expect, test } from 'vitest';

import type { AdviceFacts } from '../src/core/advice.ts';
import { Findings } from '../src/findings.ts';

/** Open for a minute, and never asked anything. */
const calm: AdviceFacts = {
  roundTrips: null,
  slowMs: 500,
  troubles: { losses: 0, missedPongs: 0, failedAttempts: 0, errors: 0 },
  backlog: { messages: 0, bytes: 0, maxMessages: 10, maxBytes: 1_000, oldestMs: 0 },
  isOpen: true,
  hasEvidence: true,
  dropped: 0,
  openMs: 60_000,
  downMs: 0,
  canPing: true,
  grade: 'healthy',
  uptimeRatio: 1,
};
const lossy: AdviceFacts = { ...calm, troubles: { ...calm.troubles, losses: 2 } };
const full: AdviceFacts = { ...lossy, backlog: { ...calm.backlog, messages: 10 } };

const dated = (findings: Findings, facts: AdviceFacts, at: number): [id: string, since: number][] =>
  findings.of(facts, at).map(({ id, since }) => [id, since]);

describe('what is advised on a connection', () => {
  test('is what its measures say, and nothing where they say nothing', () => {
    const findings = new Findings();
    expect(findings.of(calm, 1_000)).toEqual([]);
    expect(findings.of(lossy, 1_000)).toMatchObject([
      { id: 'frequent-losses', severity: 'warning', because: { measure: 'losses', value: 2 }, since: 1_000 },
    ]);
  });

  test('says since when it holds, which is the same each time it is asked', () => {
    const findings = new Findings();
    dated(findings, lossy, 1_000);
    expect(dated(findings, lossy, 5_000)).toEqual([['frequent-losses', 1_000]]);
  });

  test('is dated anew when it was over in between', () => {
    const findings = new Findings();
    dated(findings, lossy, 1_000);
    dated(findings, calm, 2_000);
    expect(dated(findings, lossy, 3_000)).toEqual([['frequent-losses', 3_000]]);
  });

  test('has a date of its own each, and the gravest first, whichever came first', () => {
    const findings = new Findings();
    dated(findings, lossy, 1_000);
    expect(dated(findings, full, 2_000)).toEqual([
      ['queue-nearly-full', 2_000],
      ['frequent-losses', 1_000],
    ]);
  });

  test.each<[string, Partial<AdviceFacts>]>([
    ['down', { isOpen: false, openMs: 0, downMs: 95_000, grade: 'critical' }],
    ['unmeasured', { canPing: false, openMs: 125_000 }],
    ['backlog-old', { backlog: { ...calm.backlog, messages: 1, oldestMs: 70_000 } }],
  ])('%s is as old as its measure says, though nobody asked until now', (id, facts) => {
    expect(dated(new Findings(), { ...calm, ...facts }, 1_000_000)).toEqual([[id, 935_000]]);
  });

  test('is never older than time', () => {
    const facts = { ...calm, canPing: false, openMs: 3.2e11 };
    expect(dated(new Findings(), facts, 5_000)).toEqual([['unmeasured', 0]]);
  });
});

describe('the worst of a connection, in words', () => {
  test('is the gravest of what is wrong', () => {
    expect(new Findings().worst(full)).toMatch(/^The queue is full/);
    expect(new Findings().worst(lossy)).toMatch(/^The connection is lost again and again/);
  });

  test('is none where nothing is wrong: what is merely worth knowing is no reason', () => {
    const findings = new Findings();
    expect([findings.worst(calm), findings.worst({ ...calm, canPing: false, openMs: 125_000 })]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test('dates nothing', () => {
    const findings = new Findings();
    findings.worst(lossy);
    expect(dated(findings, lossy, 7_000)).toEqual([['frequent-losses', 7_000]]);
  });
});
