import { describe, expect, test } from 'vitest';

import { planOf } from '../../src/testing/plan.ts';
import { perform } from '../../src/testing/run.ts';
import type { Stage } from '../../src/testing/stage.ts';

const plan = planOf({ seed: 2, faults: [], durationMs: 9_000 });

function broken(begins: (stage: Stage) => void, retryMs = 400): Promise<Stage> {
  const service = { wire: 'required', retry: { baseMs: 20, capMs: retryMs, promptMs: 20 } } as const;
  return perform(plan, { begins, service });
}

describe('a run', () => {
  test('takes every step at its time, begins the calm after two thirds, and leaves nothing over', async () => {
    const stage = await perform(plan);
    expect([stage.history.breach, stage.clock.pending(), stage.device.listenersLeft]).toEqual([undefined, 0, 0]);
    expect(stage.history.tail(Infinity)).toMatch(/^ +6000\.0 {2}from now on it is calm$/m);
    expect(stage.apps.map(({ connection }) => connection.status.state)).toEqual(stage.apps.map(() => 'closed'));
  });

  test('that ends abruptly ends in the middle of an event, or between two', async () => {
    const ends = await Promise.all(
      [1, 2, 3, 4].map(async (seed) => {
        const { history } = await perform({ ...plan, seed, abruptAt: 4_000 });
        expect(history.breach).toBeUndefined();
        return /destroys the client while it is told something/.test(history.tail(Infinity));
      }),
    );
    expect(new Set(ends)).toEqual(new Set([true, false]));
  });

  test.each<[string, (stage: Stage) => void, RegExp]>([
    [
      'a server that leaves a timer',
      ({ nodes }) => {
        const [node] = nodes;
        if (node) Object.defineProperty(node, 'timersLeft', { value: 1 });
      },
      /^1 timers are left when n1 has ended$/,
    ],
    [
      'a connection that does not open once it is calm',
      (stage) => {
        stage.calm = () => {
          stage.network.refusals = 1;
          for (const line of stage.network.live)
            line.cut({ arriving: 0, lateMs: 0, clientNoticesMs: 0, serverNoticesMs: 0 });
        };
      },
      /^there is no rest: simulated:t1 is /,
    ],
    [
      'a server that is not told what became of a message',
      ({ serverApps }) => {
        const [app] = serverApps;
        if (app) Object.defineProperty(app, 'unrest', { get: () => 'nobody has told a server what became of s1' });
      },
      /^there is no rest: nobody has told a server what became of s1$/,
    ],
    [
      'a timer that is left',
      (stage) => {
        stage.clock.setTimeout(() => undefined, 1e9);
      },
      /^1 timers are left$/,
    ],
    [
      'a listener that is left',
      (stage) => {
        stage.device.signals.subscribe(() => undefined);
      },
      /^somebody listens to the device when the client has ended$/,
    ],
    [
      'a socket that is left open',
      (stage) => {
        stage.network.sockets.push({ readyState: 1, listenersLeft: 1 } as never);
      },
      /^a socket is left open$/,
    ],
    [
      'a client that does not come to its end',
      ({ service }) => {
        service.destroy = () => new Promise(() => undefined);
      },
      /^the client or a server does not come to its end$/,
    ],
    [
      'an audit log that somebody has changed',
      (stage) => {
        stage.clock.setTimeout(() => {
          stage.audit[5] = String(stage.audit[5]).replace('"at":1', '"at":2');
        }, 8_000);
      },
      /^the audit log is /,
    ],
    [
      'a secret in the audit log',
      (stage) => {
        stage.closeAudit = () => {
          stage.audit.push('planted-token');
          return Promise.resolve();
        };
      },
      /planted-token is in the audit log|^the audit log is |timers are left/,
    ],
    [
      'a message that the servers had and nobody sent',
      ({ book, clock }) => {
        clock.setTimeout(() => {
          book.hadUp('c999', 'n1/1', { text: 'c999' });
        }, 3_000);
      },
      /^n1\/1 gets c999, which nobody sent$/,
    ],
    [
      'timers that set each other for ever',
      ({ clock }) => {
        const again = (): void => {
          clock.setTimeout(again, 0);
        };
        again();
      },
      /^the run itself: .*they set each other for ever/,
    ],
  ])('is broken by %s', { timeout: 30_000 }, async (_, begins, breach) => {
    const stage = await broken(begins);
    expect(stage.history.breach).toMatch(breach);
  });
});
