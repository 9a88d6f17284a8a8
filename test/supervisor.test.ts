import { describe, expect, test } from 'vitest';

import type { Clock } from '../src/transport/clock.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { fateOf, NOTHING_LEFT, rig, TERMINAL, type Rig } from './support/service.ts';

interface SeenActor {
  type: string;
  actorRef: { id: string; send(event: object): void };
}

// a delay that one service type alone asks for, so that a fault hits its connections only
const POISON_MS = 7_777;

/** A clock that throws when it is asked for the poisonous delay. */
class FaultyClock extends SimulatedClock implements Clock {
  isFaulty = true;

  override setTimeout(fire: () => void, ms: number): number {
    if (this.isFaulty && ms === POISON_MS) throw new Error('the clock broke');
    return super.setTimeout(fire, ms);
  }
}

describe('an actor that dies of a fault', () => {
  test('while it connects leaves the others alone, and tells who waits for it', async () => {
    const clock = new FaultyClock();
    const r = rig({ clock, terminal: { connectTimeoutMs: POISON_MS }, restarts: { most: 0 } });
    const chat = await r.open({ serviceType: 'chat' });
    const fate = fateOf(r.service.connect(TERMINAL));
    const message = fateOf(r.service.sendMessage('terminal:one', 'x'));
    await r.settle();
    await clock.advanceAsync(0);
    expect(fate.error).toMatchObject({
      name: 'FaultError',
      code: 'INTERNAL_FAULT',
      connectionId: 'terminal:one',
      cause: { message: 'the clock broke' },
    });
    expect(message.error).toMatchObject({ code: 'CONNECTION_ENDED', cause: fate.error });
    expect([r.state(), r.state('chat'), r.sockets.live]).toEqual(['failed', 'open', [chat.socket]]);
    expect(r.of('gaveUp')).toMatchObject([{ connectionId: 'terminal:one', because: 'fault' }]);
    expect(r.bugs).toMatchObject([{ code: 'INTERNAL_FAULT', connectionId: 'terminal:one' }]);
  });

  test('while it is open has its socket closed, and is revived by connect', async () => {
    const clock = new FaultyClock();
    clock.isFaulty = false;
    const r = rig({ clock, terminal: { closeTimeoutMs: POISON_MS }, restarts: { most: 0 } });
    const chat = await r.open({ serviceType: 'chat' });
    const { id, connection, socket } = await r.open();
    clock.isFaulty = true;
    const next = fateOf(connection.messages().next());
    const closing = fateOf(r.service.disconnect(id));
    await clock.advanceAsync(0);
    expect([socket.isLive, r.state(id), closing.kind]).toEqual([false, 'failed', 'resolved']);
    expect(next.error).toMatchObject({ code: 'INTERNAL_FAULT' });
    expect(r.state('chat')).toBe('open');
    await r.service.sendMessage('chat', 'still here');
    expect(chat.socket.sent).toEqual(['still here']);
    const again = fateOf(connection.connect());
    await clock.advanceAsync(0);
    r.sockets.last.opens();
    await clock.advanceAsync(0);
    expect([again.kind, connection.status.state, r.sockets.live.length]).toEqual(['resolved', 'open', 2]);
    await r.service.sendMessage(id, 'hello again');
    expect(r.sockets.last.sent).toEqual(['hello again']);
  });

  test('leaves a service that can be destroyed, with nothing left', async () => {
    const clock = new FaultyClock();
    const r = rig({ clock, terminal: { connectTimeoutMs: POISON_MS } });
    await r.open({ serviceType: 'chat' });
    void r.service.connect(TERMINAL);
    await clock.advanceAsync(0);
    const destroyed = fateOf(r.service.destroy({ deadlineMs: 0 }));
    await clock.advanceAsync(0);
    expect(destroyed.kind).toBe('resolved');
    expect([clock.pending(), r.leftovers()]).toEqual([0, NOTHING_LEFT]);
  });

  test('by an event that it cannot read is no other’s trouble', async () => {
    const actors: SeenActor[] = [];
    const inspect = (event: SeenActor): unknown => event.type === '@xstate.actor' && actors.push(event);
    const r = rig({ inspect, restarts: { most: 0 } });
    const chat = await r.open({ serviceType: 'chat' });
    const { socket } = await r.open();
    const poisoned = actors.find(({ actorRef }) => actorRef.id === 'connection:terminal:one');
    // a policy without a backoff: the draw of the next delay throws
    poisoned?.actorRef.send({ type: 'policy.changed', policy: { maxRetries: null } });
    socket.ends(1006);
    await r.settle();
    expect([r.state(), r.state('chat'), r.sockets.live]).toEqual(['failed', 'open', [chat.socket]]);
    expect(r.bugs).toMatchObject([{ code: 'INTERNAL_FAULT', connectionId: 'terminal:one' }]);
    await r.open();
    expect(r.state()).toBe('open');
  });
});

describe('the supervisor', () => {
  test('listens to the platform once, for all connections, and from the first one on', async () => {
    const r = rig();
    expect(r.signals.subscribers).toBe(0);
    await r.open();
    await r.open({ serviceType: 'chat' });
    expect(r.signals.subscribers).toBe(1);
  });

  test('tells a connection that is made later what the platform said before', async () => {
    const r = rig();
    await r.open({ serviceType: 'chat' });
    r.signals.send('network.offline');
    await r.open();
    r.sockets.last.ends(1006);
    await r.settle();
    expect(r.of('retrying')).toMatchObject([{ connectionId: 'terminal:one', waitingFor: 'network' }]);
  });

  test.each<[what: string, subscribe: () => () => void]>([
    [
      'throws when it is subscribed to',
      () => {
        throw new Error('signals');
      },
    ],
    [
      'throws when it is ended',
      () => () => {
        throw new Error('signals');
      },
    ],
    ['gives no way to end it', () => undefined as never],
  ])('outlives a source of signals that %s', async (_what, subscribe) => {
    const r: Rig = rig({ signals: { subscribe } });
    await r.open();
    expect(r.state()).toBe('open');
    await r.destroy();
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });

  test.each<[unknown]>([
    ['banana'],
    ['drain'],
    ['xstate.stop'],
    ['xstate.error.actor.x'],
    ['place.vacated'],
    ['connection.requested'],
    ['constructor'],
    [undefined],
    [null],
    [{}],
    [Symbol('network.online')],
  ])(
    'takes %s from a source of signals for no signal: it is reported as a bug of whoever made it, and ends nothing',
    async (signal) => {
      const r = rig();
      const { socket } = await r.open();
      r.signals.send(signal as never);
      await r.settle();
      expect([r.state(), r.sockets.live, r.signals.subscribers]).toEqual(['open', [socket], 1]);
      expect(r.bugs).toMatchObject([{ code: 'LISTENER_THREW', cause: { name: 'TypeError' } }]);
      await r.open({ serviceType: 'chat' });
      expect(r.state('chat')).toBe('open');
      await r.destroy();
      expect(r.leftovers()).toEqual(NOTHING_LEFT);
    },
  );

  test.each(['signals', 'supervisor', 'constructor', 'toString', '__proto__', '#_parent', 'a.b.*'])(
    'holds a connection of the service type %s like any other',
    async (serviceType) => {
      const services = Object.fromEntries([[serviceType, { url: 'wss://host/' }]]);
      const r = rig({ services });
      const { id, socket } = await r.open({ serviceType });
      expect(r.state(id)).toBe('open');
      socket.ends(1006);
      await r.settle();
      await r.reopen(id);
      expect(r.state(id)).toBe('open');
      await r.destroy();
      expect(r.leftovers()).toEqual(NOTHING_LEFT);
    },
  );

  test('reports signals that cannot be unsubscribed from as the fault of whoever made them', async () => {
    const r = rig({
      signals: {
        subscribe: () => () => {
          throw new Error('no end');
        },
      },
    });
    await r.open();
    await r.destroy();
    await r.settle();
    expect(r.bugs).toMatchObject([{ code: 'LISTENER_THREW', cause: { message: 'no end' } }]);
  });
});
