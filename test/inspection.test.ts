import { createInspector } from '@statelyai/inspect';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { harmless, type InspectionEvent } from '../src/inspection.ts';
import { rig, TERMINAL } from './support/service.ts';

interface Seen extends InspectionEvent {
  actorRef: { sessionId: string; id: string };
  event?: { type: string };
}

describe('inspection', () => {
  test('by the option shows every actor and event of a service from its start', async () => {
    const seen: Seen[] = [];
    const r = rig({ inspect: (event: Seen) => seen.push(event) });
    await r.open();
    const actors = seen.filter(({ type }) => type === '@xstate.actor').map(({ actorRef }) => actorRef.id);
    expect(actors).toEqual(
      expect.arrayContaining([
        'supervisor',
        'signals',
        'connection:terminal:one',
        'socket',
        'authorizer',
        'locator',
        'traffic',
        'health',
      ]),
    );
    const events = seen.filter(({ type }) => type === '@xstate.event').map(({ event }) => event?.type);
    expect(events).toEqual(expect.arrayContaining(['connect', 'url.resolved', 'dial', 'socket.opened']));
    expect(new Set(seen.map(({ rootId }) => rootId)).size).toBe(1);
  });

  test('by system.inspect shows what happens from then on, and can be ended', async () => {
    const r = rig();
    await r.open();
    const seen: Seen[] = [];
    const subscription = r.service.system.inspect({ next: (event: Seen) => seen.push(event) });
    r.sockets.last.ends(1006);
    await r.settle();
    expect(seen.map(({ event }) => event?.type)).toContain('socket.closed');
    subscription.unsubscribe();
    const count = seen.length;
    await r.reopen();
    expect(seen).toHaveLength(count);
  });

  test('shows no payload, in or out', async () => {
    const seen: Seen[] = [];
    const r = rig({ inspect: (event: Seen) => seen.push(event) });
    const { id, socket } = await r.open();
    const count = seen.length;
    await r.service.sendMessage(id, 'payload');
    socket.says('payload');
    await r.settle();
    expect(seen).toHaveLength(count);
  });

  test('by observers that throw loses nothing, for the service or for others, and is reported', async () => {
    const seen: Seen[] = [];
    const broken = (): never => {
      throw new Error('observer');
    };
    const [quiet, loud] = [rig(), rig({ inspect: broken })];
    loud.service.system.inspect({ next: broken });
    loud.service.system.inspect((event: Seen) => seen.push(event));
    await quiet.open();
    await loud.open();
    expect(loud.events.map(({ type }) => type)).toEqual(quiet.events.map(({ type }) => type));
    expect(seen.map(({ event }) => event?.type)).toContain('socket.opened');
    expect(loud.bugs.length).toBeGreaterThanOrEqual(2 * seen.length);
    expect(loud.bugs[0]).toMatchObject({ code: 'LISTENER_THREW', cause: { message: 'observer' } });
  });

  test('an observer without next is one that hears nothing', () => {
    expect(() => harmless({}, () => undefined)({ type: 'a', actorRef: null })).not.toThrow();
  });
});

describe('the inspector of @statelyai/inspect', () => {
  beforeEach(() => {
    // it defers what it sends to an idle moment
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test('sees the actors of a connecting service, with their states', async () => {
    const sent: { type: string; name?: string; sessionId?: string; snapshot?: unknown }[] = [];
    const inspector = createInspector({ send: (event) => void sent.push(event as (typeof sent)[number]) });
    const r = rig({ inspect: inspector.inspect });
    void r.service.connect(TERMINAL);
    await r.settle();
    r.sockets.last.opens();
    await r.settle();
    vi.runAllTimers();
    expect(r.bugs).toEqual([]);
    const names = sent.filter(({ type }) => type === '@xstate.actor').map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['supervisor', 'connection:terminal:one', 'socket', 'health']));
    const connection = sent.find(({ name }) => name === 'connection:terminal:one')?.sessionId;
    const snapshots = sent.filter(({ type, sessionId }) => type === '@xstate.snapshot' && sessionId === connection);
    expect(JSON.stringify(snapshots.at(-1)?.snapshot)).toContain('"established":"open"');
    // it goes over a wire
    expect(() => JSON.stringify(sent)).not.toThrow();
    inspector.stop();
    await r.destroy();
  });

  test.each([
    ['a function', () => Promise.reject(new Error('late'))],
    ['an object', { next: () => Promise.reject(new Error('late')) }],
  ])('an observer that rejects, as %s, is reported and goes no further (pain 46)', async (_how, observer) => {
    const reports: unknown[] = [];
    harmless(observer, (cause) => reports.push(cause))({ type: 'a', actorRef: null });
    await Promise.resolve();
    expect(reports).toMatchObject([{ message: 'late' }]);
  });

  test('what is no observer is refused by system.inspect', () => {
    const r = rig();
    expect(() => r.service.system.inspect(undefined as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS' }) as Error,
    );
  });
});
