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
  owedBytes = 0;
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
      wire: () => (this.ask ? { ping: this.ask, vigil: { owedBytes: this.owedBytes } } : undefined),
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

describe('the round trip of the application’s own ping', () => {
  function asking(): Doubt {
    const d = new Doubt();
    d.ping = () => 'ping';
    return d;
  }
  const probesAt = (d: Doubt, at: number): void => {
    d.at = at;
    d.probe();
  };
  const answersAt = (d: Doubt, at: number): void => {
    d.at = at;
    d.prober.answered();
  };

  test('is from the ping to its answer, which is one', () => {
    const d = asking();
    probesAt(d, 1_000);
    answersAt(d, 1_070);
    answersAt(d, 1_080);
    expect(d.measured).toEqual([70]);
  });

  test('is not taken from a clock that ran backwards', () => {
    const d = asking();
    probesAt(d, 1_000);
    answersAt(d, 900);
    expect(d.measured).toEqual([]);
  });

  test('is told of nobody’s answer', () => {
    const d = asking();
    answersAt(d, 1_000);
    expect(d.measured).toEqual([]);
  });

  test('is not known until as many answers have come as were asked for: that is the last one’s', () => {
    const d = asking();
    probesAt(d, 1_000);
    probesAt(d, 5_000);
    answersAt(d, 5_010);
    expect(d.measured).toEqual([]);
    answersAt(d, 5_020);
    answersAt(d, 5_500);
    expect(d.measured).toEqual([20]);
  });

  test('is known again when what was not answered for ten seconds never will be', () => {
    const d = asking();
    probesAt(d, 1_000);
    probesAt(d, 11_000);
    answersAt(d, 11_010);
    expect(d.measured).toEqual([]);
    probesAt(d, 21_001);
    answersAt(d, 21_041);
    expect(d.measured).toEqual([40]);
  });

  test('is that of the ping that went out, though the next one could not', () => {
    const d = asking();
    probesAt(d, 1_000);
    d.ping = () => {
      throw new Error('mine');
    };
    probesAt(d, 5_000);
    answersAt(d, 5_100);
    expect(d.measured).toEqual([4_100]);
  });

  test('is none of a ping that never went out', () => {
    const d = new Doubt();
    d.ping = () => {
      throw new Error('mine');
    };
    probesAt(d, 1_000);
    answersAt(d, 1_010);
    expect(d.measured).toEqual([]);
  });

  test('is not that of a link before', () => {
    const d = asking();
    probesAt(d, 1_000);
    d.prober.canProbe(d.link);
    answersAt(d, 1_010);
    expect(d.measured).toEqual([]);
    probesAt(d, 2_000);
    answersAt(d, 2_020);
    expect(d.measured).toEqual([20]);
  });
});

describe('what a prober can measure', () => {
  test.each<[string, ServiceSettings['ping'], boolean, boolean]>([
    ['protocol pings', 'auto', false, true],
    ['silence', 'silence', true, false],
    ['a ping without a pong that can be told', () => 'ping', false, false],
    ['a ping with a pong that can be told', () => 'ping', true, true],
  ])('by %s is known', (_by, ping, hasPong, canMeasure) => {
    const d = new Doubt();
    d.ping = ping;
    if (hasPong) d.profile = { ...jsonProfile, isPong: () => true };
    expect(d.prober.canMeasure).toBe(canMeasure);
  });

  test('is everything on a wire with a ping of its own, and nothing where there is no form of ping', () => {
    const d = new Doubt();
    d.prober.canProbe(linkOver(new Line()).link);
    expect(d.prober.canMeasure).toBe(false);
    d.ask = () => undefined;
    expect(d.prober.canMeasure).toBe(true);
  });

  test('is told as a measurement without a number where it cannot be measured', () => {
    const d = new Doubt();
    d.ping = () => 'ping';
    d.probe();
    d.peer.received('anything');
    expect(d.measured).toEqual([null]);
  });

  test('is the round trip of a ping for whoever asks for one, and for nobody else; and nothing where there is none', () => {
    const d = new Doubt();
    const heard: number[] = [];
    d.at = 1_000;
    expect(d.prober.ping((rttMs) => heard.push(rttMs))).toBe(true);
    d.at = 1_015;
    d.prober.ponged('1');
    expect([d.line.pings, heard, d.measured]).toEqual([1, [15], []]);
    d.link.dispose();
    expect(d.prober.ping(() => undefined)).toBe(false);
  });

  test('measures again after one of the application’s own pings was never answered, although others came too soon to wait it out', () => {
    const d = new Doubt();
    d.ping = () => ({ op: 'ping' });
    d.profile = { ...jsonProfile, isPong: () => true };
    const round = (isAnswered: boolean): void => {
      d.probe()();
      d.at += 100;
      if (isAnswered) d.prober.answered();
      d.at += 4_900;
    };
    round(true);
    round(false);
    for (let count = 0; count < 10; count++) round(true);
    expect(d.measured.slice(0, 1)).toEqual([100]);
    expect(d.measured.length).toBeGreaterThan(5);
    expect(new Set(d.measured)).toEqual(new Set([100]));
  });

  test('knows how long what was sent may hold an answer up: all of it, since the peer was last heard (pain 11)', () => {
    const d = new Doubt();
    expect(d.prober.burdenMs).toBe(0);
    d.prober.wrote(32_000);
    d.prober.wrote(32_000);
    expect(d.prober.burdenMs).toBe(2_000);
    d.peer.received('anything');
    expect(d.prober.burdenMs).toBe(0);
    d.prober.wrote(1e9);
    expect(d.prober.burdenMs).toBe(30_000);
  });

  test('knows it on a wire with acknowledgements by what was owed when the silence began', () => {
    const d = new Doubt();
    d.ask = () => undefined;
    d.owedBytes = 64_000;
    d.prober.wrote(1e9);
    expect(d.prober.burdenMs).toBe(2_000);
    // what is ahead of the question and has not left
    Object.defineProperty(d.line, 'bufferedBytes', { value: 96_000 });
    expect(d.prober.burdenMs).toBe(3_000);
  });
});
