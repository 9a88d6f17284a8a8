import { expect, test } from 'vitest';

import { settingsOf } from '../../src/server/options.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';

const authenticate = () => null;

test('what is left out has its default', () => {
  const { clock, random, node, isOriginAllowed, ...rest } = settingsOf({ authenticate });
  expect(rest).toEqual({
    limits: {
      frameBytes: 262_144,
      inflatedBytes: 1_048_576,
      windowMessages: 2_048,
      windowBytes: 1_048_576,
      messagesPerSecond: Infinity,
      sessionsPerPrincipal: Infinity,
      bufferedBytes: 16_777_216,
      channelsPerSession: 64,
      helloMs: 10_000,
    },
    ping: { intervalMs: 25_000, timeoutMs: 10_000 },
    ttlMs: 120_000,
    compression: false,
    windows: 0,
  });
  expect(node).toHaveLength(22);
  expect(isOriginAllowed('https://any.example')).toBe(true);
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(60_000);
  clock.clearTimeout(clock.setTimeout(() => undefined, 1_000));
  expect(random).toBeTypeOf('function');
});

test.each([
  [false, false, 0],
  [true, true, 0],
  [{ windows: 5 }, true, 5],
])('compression of %o keeps windows only if told how many', (compression, isOn, windows) => {
  expect(settingsOf({ authenticate, compression })).toMatchObject({ compression: isOn, windows });
});

test('one limit can be set without the others', () => {
  const clock = new SimulatedClock();
  const settings = settingsOf({ authenticate, clock, node: 'n1', limits: { frameBytes: 5 }, ping: { timeoutMs: 1 } });
  expect([settings.limits.frameBytes, settings.limits.helloMs, settings.ping, settings.node, settings.clock]).toEqual([
    5,
    10_000,
    { intervalMs: 25_000, timeoutMs: 1 },
    'n1',
    clock,
  ]);
});

test('origins are a list or a question, and who has none is no page', () => {
  const listed = settingsOf({ authenticate, origins: ['https://a.example'] }).isOriginAllowed;
  expect([listed('https://a.example'), listed('https://b.example'), listed(undefined)]).toEqual([true, false, true]);
  const asked = settingsOf({ authenticate, origins: (origin) => origin.endsWith('.example') }).isOriginAllowed;
  expect([asked('https://b.example'), asked('https://b.test')]).toEqual([true, false]);
});
