import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { HeartbeatOptions, ServiceOptions } from '../src/options.ts';
import { writeText } from '../src/protocol/text-frames.ts';
import { HealthRig, JumpingClock } from './support/health.ts';
import { impossible } from './support/hostile.ts';
import { NOTHING_LEFT, TERMINAL } from './support/service.ts';
import { srvOf, welcomeOf } from './support/server-script.ts';

const runs = { numRuns: 80 };
const jump = fc.constantFrom(-1, 1, -1_000, -3_600_000, 3_600_000, -3.2e11, 3.2e11);
const step = fc.constantFrom(0, 1, 20, 999, 1_000, 2_500, 10_000, 25_000, 61_000);

/** Something that happens: a name, and how much of it. */
const happening = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.constant('passes' as const), step) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('sleeps' as const, 'wall' as const, 'monotonic' as const), jump) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom('pong' as const, 'slow' as const), fc.nat(5_000)) },
  {
    weight: 5,
    arbitrary: fc.tuple(
      fc.constantFrom(
        'says' as const,
        'sends' as const,
        'drops' as const,
        'opens' as const,
        'connects' as const,
        'closes' as const,
        'toggles' as const,
        'signals' as const,
        'holds' as const,
      ),
      fc.nat(8),
    ),
  },
);

const options: fc.Arbitrary<Partial<ServiceOptions>> = fc.record({
  heartbeat: fc.record(
    {
      intervalMs: fc.constantFrom(1_000, 25_000, 2 ** 31 - 1),
      promptMs: fc.constantFrom(1_000, 2 ** 31 - 1),
      slowMs: fc.constantFrom(1, 500, 2 ** 31 - 1),
      ping: fc.constantFrom<NonNullable<HeartbeatOptions['ping']>>('auto', 'silence', () => 'ping'),
    },
    { requiredKeys: [] },
  ),
  queue: fc.constantFrom<NonNullable<ServiceOptions['queue']>>({}, { maxMessages: 0 }, { maxMessages: 1, maxBytes: 4 }),
});

const SIGNALS = [
  'system.woke',
  'network.offline',
  'network.online',
  'page.hidden',
  'page.frozen',
  'page.visible',
] as const;

class Ordeal {
  readonly clock = new JumpingClock();
  readonly r: HealthRig;
  #isMonitored = true;

  constructor(terminal: Partial<ServiceOptions>) {
    this.r = new HealthRig({ clock: this.clock, terminal });
  }

  async begin(): Promise<void> {
    await this.r.open();
  }

  async undergo([what, much]: [string, number]): Promise<void> {
    const { r, clock } = this;
    const { last } = r.sockets;
    if (what === 'passes') await clock.advanceAsync(much);
    if (what === 'sleeps') clock.sleep(Math.min(Math.abs(much), 86_400_000));
    // no clock shows a time before the epoch
    if (what === 'wall' && clock.now() + much >= 0) clock.wallJumps(much);
    if (what === 'monotonic') clock.monotonicJumps(much);
    // answered already, not asked for, or of a link before
    if (what === 'pong') last.controls('pong', String(much % 7));
    if (what === 'slow') r.peer.pongMs = much > 4_000 ? null : much;
    if (what === 'says') last.says(much > 0 ? 'x'.repeat(much) : new Blob([]));
    if (what === 'sends') r.service.connection('terminal:one').send('x'.repeat(much), { ttlMs: 1 + much * 1_000 });
    if (what === 'drops' && last.readyState < 3) await r.drops(much > 6 ? 4_403 : 1_006);
    if (what === 'opens') last.opens();
    if (what === 'connects') void r.service.connect(TERMINAL).catch(() => undefined);
    if (what === 'closes') void r.service.disconnect('terminal:one');
    if (what === 'toggles') this.#toggle();
    if (what === 'signals') r.signals.send(SIGNALS[much % SIGNALS.length] ?? 'system.woke');
    if (what === 'holds') last.holds = !last.holds;
    await r.settle();
  }

  /** Everything that is shown. */
  get shown(): unknown {
    const { service, events } = this.r;
    const trends = [1, 60_000, Infinity].map((rangeMs) => {
      const trend = service.getHealthTrend('terminal:one', rangeMs);
      // a change may well be for the worse
      return trend && { ...trend, change: Math.abs(trend.change) };
    });
    return {
      info: service.getHealthInfo('terminal:one'),
      summary: service.getHealthInfo(),
      advice: service.getRecommendations('terminal:one'),
      traffic: service.getTraffic(),
      trends,
      told: events.filter(({ type }) => type === 'health' || type === 'roundTrip'),
    };
  }

  #toggle(): void {
    this.#isMonitored = !this.#isMonitored;
    this.r.service.updateConfig({ enableHealthMonitoring: this.#isMonitored });
  }
}

describe('health under hostile clocks and pongs', () => {
  test('shows no number that cannot be, throws nothing, and leaves nothing', async () => {
    await fc.assert(
      fc.asyncProperty(options, fc.array(happening, { maxLength: 40 }), async (terminal, happenings) => {
        const ordeal = new Ordeal(terminal);
        await ordeal.begin();
        for (const each of happenings) {
          await ordeal.undergo(each);
          expect(impossible(ordeal.shown)).toEqual([]);
        }
        expect(JSON.stringify(ordeal.shown)).not.toMatch(/NaN|Infinity/);
        expect(ordeal.r.bugs).toEqual([]);
        await ordeal.r.destroy();
        expect(impossible(ordeal.shown)).toEqual([]);
        // pongs that are on their way are the peer's
        await ordeal.clock.advanceAsync(5_000);
        expect(ordeal.r.leftovers()).toEqual(NOTHING_LEFT);
      }),
      runs,
    );
  }, 60_000);

  test('takes no number of a server for its own: pongs with any number, time of asking and clock', async () => {
    const number = fc.oneof(fc.nat(5), fc.maxSafeNat(), fc.constantFrom(Number.MAX_SAFE_INTEGER, 1_793_577_577));
    const pong = fc.record({ i: number, ts: number, now: number });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(pong, step), { maxLength: 20 }), async (pongs) => {
        const ordeal = new Ordeal({ wire: 'required', heartbeat: { promptMs: 1_000 } });
        const { r, clock } = ordeal;
        void r.service.connect(TERMINAL).catch(() => undefined);
        await r.settle();
        const { last: socket } = r.sockets;
        socket.opens();
        await r.settle();
        for (const frame of [srvOf(), welcomeOf()]) socket.says(writeText(frame));
        await r.settle();
        for (const [each, ms] of pongs) {
          await clock.advanceAsync(ms);
          socket.says(writeText({ t: 'pong', ...each }));
        }
        expect(impossible(ordeal.shown)).toEqual([]);
        // none takes longer than the connection is there
        for (const { rttMs } of r.of('roundTrip'))
          expect(rttMs).toBeLessThanOrEqual(clock.now() - Date.UTC(2026, 0, 1));
        expect(r.bugs).toEqual([]);
      }),
      runs,
    );
  }, 60_000);

  test.each<[string, HeartbeatOptions]>([
    ['least', { intervalMs: 1, promptMs: 1, slowMs: 1, lateMs: 1, timeoutMs: 2 }],
    ['most', { intervalMs: 2 ** 31 - 1, promptMs: 2 ** 31 - 1, slowMs: 2 ** 31 - 1, timeoutMs: 2 ** 31 - 1 }],
  ])('works with options at their %s', async (_, heartbeat) => {
    for (const healthWindowMs of [60_000, 2 ** 31 - 1]) {
      const r = new HealthRig({ healthWindowMs, terminal: { heartbeat } });
      const { id } = await r.open();
      r.peer.pongMs = 0;
      await r.clock.advanceAsync(200);
      expect(impossible([r.info(), r.service.getHealthTrend(id), r.advice(), r.service.getHealthInfo()])).toEqual([]);
      await r.destroy();
      expect([r.bugs, r.leftovers()]).toEqual([[], NOTHING_LEFT]);
    }
  });

  test('measures a round trip of no time at all', async () => {
    const r = new HealthRig();
    await r.open();
    r.peer.pongMs = 0;
    await r.seconds(120);
    expect(r.info()).toMatchObject({ grade: 'healthy', roundTrips: { lastMs: 0, jitterMs: 0, minMs: 0, maxMs: 0 } });
  });
});
