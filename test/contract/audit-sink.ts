import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { RemovedSegment } from '../../src/audit/record.ts';
import type { AuditSink } from '../../src/audit/sink.ts';
import { headOf } from '../../src/audit/sinks/stored.ts';
import { auditLines, Chain } from '../support/audit-lines.ts';

/** A sink, or what stands for one that is elsewhere. */
export type ReachedSink = Omit<AuditSink, 'isFull'> & { isFull?: () => boolean | Promise<boolean> };

/** What a sink may do beside storing lines. */
export type SinkAbility = 'fail' | 'resume' | 'rotate';

/** A sink under test, with what it writes to. */
export interface SinkUnderTest {
  sink: ReachedSink;
  /** What is stored, oldest first. */
  stored: () => readonly string[] | Promise<readonly string[]>;
  /** Lets the next `append` fail, after it has stored a part where that can be. */
  fail: () => void | Promise<void>;
  /** Another sink over the same. */
  another: () => ReachedSink;
  /** How many lines fill a segment, and how many segments are kept. */
  segments: { lines: number; kept: number };
  /** What is still held on to: handles, locks, timers. */
  held: () => number | Promise<number>;
  stop: () => void | Promise<void>;
}

type Started = Pick<SinkUnderTest, 'sink' | 'stored' | 'held' | 'stop'> & Partial<SinkUnderTest>;

/** Holds a sink to its promises, those of `AuditSink`. */
export function auditSinkContract(
  name: string,
  can: readonly SinkAbility[],
  start: () => Started | Promise<Started>,
): void {
  describe(`the audit sink ${name}`, () => {
    let under: SinkUnderTest;

    beforeEach(async () => {
      under = { ...UNABLE, ...(await start()) };
      expect((await under.sink.open?.()) ?? null).toBeNull();
    });

    afterEach(() => under.stop());

    test('has a name', () => {
      expect(under.sink.name).toMatch(/\S/);
    });

    test('stores lines in order, byte for byte', async () => {
      const chain = new Chain();
      const odd = ['Grüße, 世界 🎈', ' \n\r\t"\\', '\u0000\u001f\ufeff\ufffd', 'é'];
      const lines = odd.map((service) => chain.next({ kind: 'attached', service }));
      await appended(under.sink, lines.slice(0, 1));
      await appended(under.sink, lines.slice(1));
      await appended(under.sink, []);
      expect(await under.stored()).toEqual(lines);
    });

    test('stores lines of 100 kB, and thousands at once', async () => {
      const long = new Chain({ filler: 'ü'.repeat(50_000) });
      const lines = long.lines(4);
      lines.push(...auditLines(2_000, { after: long.head }));
      await appended(under.sink, lines.slice(0, 3));
      await appended(under.sink, lines.slice(3));
      expect(await under.stored()).toEqual(lines);
    });

    test('has stored what it was given when append resolves', async () => {
      const chain = new Chain();
      const lines: string[] = [];
      for (let batch = 1; batch <= 5; batch++) {
        const given = chain.lines(batch);
        await appended(under.sink, given);
        lines.push(...given);
        expect(await under.stored()).toEqual(lines);
      }
    });

    test('refuses what comes after close, and keeps what it has', async () => {
      const [first = '', second = ''] = auditLines(2);
      await appended(under.sink, [first]);
      await under.sink.flush?.();
      const stored = await under.stored();
      await under.sink.close?.();
      await expect(appended(under.sink, [second])).rejects.toMatchObject({ code: 'AUDIT_SINK_FAILED' });
      expect(await under.stored()).toEqual(stored);
    });

    test('lets go of everything when it is closed, as often as that is said', async () => {
      await appended(under.sink, auditLines(3));
      await under.sink.close?.();
      await under.sink.close?.();
      expect(await under.held()).toBe(0);
    });

    if (can.includes('fail'))
      test('stores all of a batch or none, and takes it again with what has come since', async () => {
        const chain = new Chain({ filler: 'x'.repeat(1_000) });
        const lines = chain.lines(10);
        await appended(under.sink, lines.slice(0, 2));
        for (let attempt = 0; attempt < 2; attempt++) {
          await under.fail();
          await expect(appended(under.sink, lines.slice(2, 8))).rejects.toMatchObject({
            code: 'AUDIT_SINK_FAILED',
            sink: under.sink.name,
          });
          expect(await under.stored()).toEqual(lines.slice(0, 2));
        }
        await appended(under.sink, lines.slice(2));
        expect(await under.stored()).toEqual(lines);
      });

    if (can.includes('resume'))
      test('goes on where the log ended', async () => {
        const chain = new Chain();
        const lines = chain.lines(3);
        await appended(under.sink, lines);
        await under.sink.close?.();
        const again = under.another();
        expect(await again.open?.()).toEqual({ line: lines[2], segment: 1 });
        lines.push(...chain.lines(2));
        await appended(again, lines.slice(3));
        expect(await under.stored()).toEqual(lines);
        await again.close?.();
        expect(await under.held()).toBe(0);
      });

    if (can.includes('rotate'))
      test('begins segments where it is full, keeps all in order, and removes whole ones truthfully', async () => {
        const { segments } = under;
        const { all, removed } = await filled(under.sink, new Chain(), segments.kept + 3);
        const keptFrom = (removed.at(-1)?.seq ?? -1) + 1;
        expect(await under.stored()).toEqual(all.slice(keptFrom));
        expect(removed).toEqual(
          [1, 2, 3].map((segment) => ({ segment, ...headOf(all[segment * segments.lines - 1] ?? '') })),
        );
      });

    if (can.includes('resume') && can.includes('rotate')) {
      test('goes on in the segment in which it ended', async () => {
        const { another, segments } = under;
        const chain = new Chain();
        const { all } = await filled(under.sink, chain, segments.kept + 1);
        await under.sink.close?.();
        const again = another();
        expect(await again.open?.()).toEqual({ line: all.at(-1), segment: segments.kept + 1 });
        expect(await again.isFull?.()).toBe(true);
        expect(await again.rotate?.()).toMatchObject([{ segment: 2 }]);
        const more = chain.lines(1);
        await appended(again, more);
        expect((await under.stored()).slice(-2)).toEqual([all.at(-1), ...more]);
        await again.close?.();
      });

      test('begins a segment again whose first line was never stored, and tells what it removed again', async () => {
        const { another, segments } = under;
        const chain = new Chain();
        const { all } = await filled(under.sink, chain, segments.kept + 1);
        const removed = await under.sink.rotate?.();
        expect(removed).toMatchObject([{ segment: 2 }]);
        await under.sink.close?.();
        const again = another();
        expect(await again.open?.()).toEqual({ line: all.at(-1), segment: segments.kept + 1 });
        expect(await again.isFull?.()).toBe(true);
        expect(await again.rotate?.()).toEqual(removed);
        const more = chain.lines(1);
        await appended(again, more);
        expect(await under.stored()).toEqual([...all.slice(2 * segments.lines), ...more]);
        await again.close?.();
      });
    }
  });
}

const cannot = (): never => {
  throw new Error('What a sink can do is said, and not how.');
};
const UNABLE = { fail: cannot, another: cannot, segments: { lines: 0, kept: 0 } };

/** Appends to what may throw at once. */
async function appended(sink: ReachedSink, lines: readonly string[]): Promise<void> {
  await sink.append(lines);
}

/** Fills so many segments of a sink, and leaves the last of them full. */
async function filled(
  sink: ReachedSink,
  chain: Chain,
  count: number,
): Promise<{ all: string[]; removed: RemovedSegment[] }> {
  const all: string[] = [];
  const removed: RemovedSegment[] = [];
  for (let segment = 1; segment <= count; segment++) {
    if (segment > 1) removed.push(...((await sink.rotate?.()) ?? []));
    while (!(await sink.isFull?.())) {
      const lines = chain.lines(1);
      await appended(sink, lines);
      all.push(...lines);
    }
  }
  return { all, removed };
}
