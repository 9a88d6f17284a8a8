import { describe, expect, test } from 'vitest';

import { Prober, sendProbe } from '../src/probing.ts';
import { jsonProfile, type Profile } from '../src/protocol/profile.ts';
import type { ServiceSettings } from '../src/settings.ts';
import type { TransportListener } from '../src/transport/transport.ts';
import type { Link } from '../src/link.ts';
import { Line } from './support/outbox.ts';
import { microtasks } from './support/service.ts';
import { linkOver } from './support/session.ts';

/** A line that can send protocol pings. */
class PingingLine extends Line {
  pings = 0;
  override readonly ping = (() => {
    this.pings += 1;
  }) as never;
}

function sent(ping: Exclude<ServiceSettings['ping'], 'silence'>, profile: Profile = jsonProfile) {
  const line = new PingingLine();
  const failures: unknown[] = [];
  sendProbe(line, { ping, profile, mark: '1', failed: (cause) => failures.push(cause) });
  return { line, failures };
}

describe('a probe of a plain wire', () => {
  test('is a protocol ping where nothing else is said, and the platform has it', () => {
    expect(sent('auto').line.pings).toBe(1);
    const line = new Line();
    sendProbe(line, { ping: 'auto', profile: jsonProfile, mark: '1', failed: () => undefined });
    expect(line.sent).toEqual([]);
  });

  test('is the application’s message, in its profile’s form', () => {
    const { line, failures } = sent(() => ({ op: 'ping' }));
    expect([line.sent, line.pings, failures]).toEqual([['{"op":"ping"}'], 0, []]);
  });

  test.each<[string, () => unknown, Profile]>([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
      jsonProfile,
    ],
    ['rejects', () => Promise.reject(new Error('mine')), jsonProfile],
    ['gives what cannot be encoded', () => 42, { codec: 'text' }],
  ])('whose function %s is not sent, and is told as failed (pain 46)', async (_how, ping, profile) => {
    const { line, failures } = sent(ping, profile);
    await microtasks();
    expect([line.sent, failures.length]).toEqual([[], 1]);
  });
});

class Doubt {
  ping: ServiceSettings['ping'] = 'auto';
  readonly reported: unknown[] = [];
  profile: Profile = jsonProfile;
  ask: (() => void) | undefined;
  at = 0;
  readonly measured: (number | null)[] = [];
  readonly prober: Prober;
  readonly line = new PingingLine();
  readonly link: Link;
  readonly peer: TransportListener;
  heard = 0;

  constructor() {
    ({ link: this.link, peer: this.peer } = linkOver(this.line, {
      ponged: (mark) => {
        this.prober.ponged(mark);
      },
    }));
    this.prober = new Prober({
      settings: () => ({ ping: this.ping, profile: this.profile }),
      report: (cause) => this.reported.push(cause),
      now: () => this.at,
      measured: (rttMs) => this.measured.push(rttMs),
      link: () => this.link,
      wire: () => (this.ask ? { ping: this.ask } : undefined),
    });
    this.prober.canProbe(this.link);
  }

  probe(): () => void {
    return this.prober.probe(() => {
      this.heard += 1;
    });
  }
}

describe('a prober', () => {
  test('can probe what has a ping, or what the application has a form for', () => {
    const d = new Doubt();
    const { link: bare } = linkOver(new Line());
    expect([d.prober.canProbe(d.link), d.prober.canProbe(bare)]).toEqual([true, false]);
    d.ping = () => 'ping';
    expect(d.prober.canProbe(bare)).toBe(true);
  });

  test('hears the next sign of life, whatever it is, once; and not what was taken back (pain 10)', () => {
    const d = new Doubt();
    d.probe();
    expect([d.line.pings, d.heard]).toEqual([1, 0]);
    d.peer.received('anything');
    d.peer.heard();
    expect(d.heard).toBe(1);
    d.probe()();
    d.peer.heard();
    expect(d.heard).toBe(1);
  });

  test('asks by the wire’s own form, where it has one, whatever the application has', () => {
    const d = new Doubt();
    for (const ping of ['auto', 'silence', () => 'mine'] as const) {
      d.ping = ping;
      let asked = 0;
      d.ask = () => {
        asked += 1;
      };
      d.probe();
      expect([asked, d.line.pings, d.line.sent]).toEqual([1, 0, []]);
    }
  });

  test('with `silence` asks nothing: a peer that spoke since the last time is not in doubt', () => {
    const d = new Doubt();
    d.ping = 'silence';
    d.prober.canProbe(d.link);
    d.peer.received('a');
    d.probe();
    expect(d.heard).toBe(1);
    d.probe();
    expect([d.heard, d.line.pings]).toEqual([1, 0]);
    d.peer.received('b');
    expect(d.heard).toBe(2);
  });

  test('does not doubt a link because a question could not be asked, and reports that', () => {
    const d = new Doubt();
    d.ping = () => {
      throw new Error('mine');
    };
    d.probe();
    expect([d.heard, d.reported]).toEqual([1, [new Error('mine')]]);
  });

  test('does nothing on a link that is gone', () => {
    const d = new Doubt();
    d.link.dispose();
    d.probe()();
    expect([d.line.pings, d.heard]).toEqual([0, 0]);
  });
});
