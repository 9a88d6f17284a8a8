import { expect, test } from 'vitest';

import { sessionActor, type SessionWorks } from '../../src/server/session.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';

function start() {
  const did: string[] = [];
  const tell: { caughtUp: () => void; settled: () => void } = { caughtUp: () => undefined, settled: () => undefined };
  const works: SessionWorks = {
    startTraffic: (caughtUp) => {
      did.push('traffic');
      tell.caughtUp = caughtUp;
      return () => did.push('no traffic');
    },
    onceSettled: (settled) => {
      did.push('settling');
      tell.settled = settled;
      return () => did.push('not settling');
    },
    reportDetached: () => did.push('detached'),
    reportResumed: () => did.push('resumed'),
    finish: (why) => did.push(`finished: ${why}`),
  };
  const clock = new SimulatedClock();
  return { actor: sessionActor({ sid: 's1', gen: 1 }, clock, works), did, tell, clock };
}

test('the chart of a session moves what it carries', () => {
  const { actor, did, tell, clock } = start();
  actor.start();
  tell.caughtUp();
  expect(actor.getSnapshot().value).toEqual({ attached: 'live' });
  actor.send({ type: 'socket.lost', gen: 1 });
  actor.send({ type: 'socket.attached', gen: 2 });
  actor.send({ type: 'close' });
  expect(clock.pending()).toBe(1);
  tell.settled();
  expect(did).toEqual([
    'traffic',
    'detached',
    'no traffic',
    'resumed',
    'traffic',
    'settling',
    'finished: closed',
    'not settling',
    'no traffic',
  ]);
  expect([actor.getSnapshot().status, clock.pending()]).toEqual(['done', 0]);
});

test('what a session is told before it starts waits for it', () => {
  const { actor, did } = start();
  actor.send({ type: 'close' });
  expect(did).toEqual([]);
  actor.start();
  expect(did).toEqual(['traffic', 'settling']);
  actor.stop();
});
