import { describe, expect, test } from 'vitest';

import { Link } from '../src/link.ts';
import { Prober } from '../src/probing.ts';
import { jsonProfile } from '../src/protocol/profile.ts';
import type { ServiceSettings } from '../src/settings.ts';
import type { Transport } from '../src/transport/transport.ts';
import { Line } from './support/outbox.ts';

function given(
  ping: ServiceSettings['ping'] = 'auto',
  transport: Transport = new Line(),
): {
  prober: Prober;
  link: Link;
  bugs: unknown[];
  line: Line;
} {
  const bugs: unknown[] = [];
  const prober = new Prober(
    () => ({ ping, profile: jsonProfile }),
    (bug) => bugs.push(bug),
  );
  const link = new Link(() => transport, { opened: () => undefined, ended: () => undefined });
  return { prober, link, bugs, line: transport instanceof Line ? transport : new Line() };
}

describe('asking a link for a sign of life', () => {
  test('is possible where the platform has pings, or the application says how', () => {
    const pinging: Transport = { ...transportOf(new Line()), ping: () => undefined };
    expect([undefined, pinging].map((transport) => canProbe(given('auto', transport)))).toEqual([false, true]);
    for (const ping of ['silence', () => 'ping'] as const) {
      expect(canProbe(given(ping))).toBe(true);
    }
  });

  test('sends what the application says, encoded as every message is, and hears the first sign after it', () => {
    const { prober, link, line } = given(() => ({ type: 'ping' }));
    let heard = 0;
    prober.probe(link, () => (heard += 1));
    expect([line.sent, heard]).toEqual([['{"type":"ping"}'], 0]);
    link.received('anything');
    link.received('more');
    expect(heard).toBe(1);
  });

  test('asks in the wire’s own form, where it has one, whatever the application says', () => {
    const { prober, link, line } = given('silence');
    let asked = 0;
    prober.canProbe(link);
    link.heard();
    prober.probe(
      link,
      () => undefined,
      () => (asked += 1),
    );
    expect([asked, line.sent]).toEqual([1, []]);
  });

  test('by silence takes what was said since the last time for the answer', () => {
    const { prober, link } = given('silence');
    prober.canProbe(link);
    let heard = 0;
    prober.probe(link, () => (heard += 1));
    expect(heard).toBe(0);
    link.heard();
    expect(heard).toBe(1);
    link.heard();
    prober.probe(link, () => (heard += 1));
    expect(heard).toBe(2);
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['makes what cannot be encoded', () => 1n],
  ])('that is not asked, because `ping` %s, proves nothing', (_why, ping) => {
    const { prober, link, bugs } = given(ping);
    let heard = 0;
    prober.probe(link, () => (heard += 1));
    expect([heard, bugs.length]).toEqual([1, 1]);
  });

  test('can be taken back', () => {
    const { prober, link } = given(() => 'ping');
    let heard = 0;
    prober.probe(link, () => (heard += 1))();
    link.heard();
    link.dispose();
    prober.probe(link, () => (heard += 1));
    expect(heard).toBe(0);
  });
});

function canProbe({ prober, link }: ReturnType<typeof given>): boolean {
  return prober.canProbe(link);
}

function transportOf(line: Line): Omit<Transport, 'ping'> {
  return {
    send: (data) => {
      line.send(data);
    },
    isOpen: true,
    protocol: '',
    bufferedBytes: 0,
    isCompressing: false,
    batch: (write) => {
      line.batch(write);
    },
    close: () => undefined,
    dispose: () => undefined,
  };
}
