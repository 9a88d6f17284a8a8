import { describe, expect, test } from 'vitest';

import type { Lease } from '../src/leases.ts';
import type { AcquireOptions } from '../src/options.ts';
import { fateOf, NOTHING_LEFT, rig, TERMINAL, type Rig } from './support/service.ts';

async function acquired(r: Rig, options: Partial<AcquireOptions> = {}): Promise<Lease> {
  const lease = r.service.acquire({ ...TERMINAL, ...options });
  await r.settle();
  const { last } = r.sockets;
  if (last.readyState === 0) last.opens();
  return lease;
}

describe('a connection that is acquired', () => {
  test('is shared, and closed when the last lease is released', async () => {
    const r = rig();
    const [one, other] = [await acquired(r), await acquired(r)];
    expect([one.id, one.connection === other.connection, r.sockets.all.length]).toEqual(['terminal:one', true, 1]);
    one.release();
    await r.clock.advanceAsync(10_000);
    expect(r.state()).toBe('open');
    other.release();
    await r.clock.advanceAsync(10_000);
    expect(r.state()).toBe('closed');
  });

  test('counts a lease once, however often it is released', async () => {
    const r = rig();
    const [one] = [await acquired(r), await acquired(r)];
    one.release();
    one.release();
    await r.clock.advanceAsync(10_000);
    expect(r.state()).toBe('open');
  });

  test('stays open for whoever acquires it again in the same turn, as a component that is mounted twice does (pain 41)', async () => {
    const r = rig();
    const first = await acquired(r);
    first.release();
    const second = await acquired(r);
    await r.clock.advanceAsync(10_000);
    expect([r.state(), r.sockets.all.length]).toEqual(['open', 1]);
    second.release();
    await r.clock.advanceAsync(10_000);
    expect(r.state()).toBe('closed');
  });

  test('stays open for as long after its last release as is asked for', async () => {
    const r = rig();
    const lease = await acquired(r, { releaseDelayMs: 1_000 });
    lease.release();
    await r.clock.advanceAsync(999);
    expect(r.state()).toBe('open');
    await r.clock.advanceAsync(1);
    expect(r.state()).toBe('closing');
  });

  test.each<[string, (r: Rig) => Promise<unknown>]>([
    [
      'before',
      (r) =>
        r
          .open()
          .then(() => acquired(r))
          .then((lease) => {
            lease.release();
          }),
    ],
    [
      'meanwhile',
      (r) =>
        acquired(r).then(async (lease) => {
          await r.service.connect(TERMINAL);
          lease.release();
        }),
    ],
    [
      'after its release',
      (r) =>
        acquired(r).then(async (lease) => {
          lease.release();
          await r.service.connect(TERMINAL);
        }),
    ],
  ])('is not closed by a lease where connect was called for it %s', async (_when, act) => {
    const r = rig();
    await act(r);
    await r.clock.advanceAsync(10_000);
    expect(r.state()).toBe('open');
  });

  test('belongs to its leases again once it was closed in between', async () => {
    const r = rig();
    await r.open();
    void r.service.disconnect('terminal:one');
    await r.clock.advanceAsync(10_000);
    const lease = await acquired(r);
    lease.release();
    await r.clock.advanceAsync(10_000);
    expect(r.state()).toBe('closed');
  });

  test.each<[string, (r: Rig) => Promise<unknown>]>([
    ['its last lease closes it', (r) => acquired(r).then((lease) => lease.release())],
    ['it is disconnected', (r) => r.open().then(({ id }) => void r.service.disconnect(id))],
  ])('belongs to its leases when it is acquired while %s', async (_when, act) => {
    const r = rig();
    await act(r);
    await r.settle();
    expect(r.state()).toBe('closing');
    const lease = await acquired(r);
    expect(r.state()).toBe('open');
    lease.release();
    await r.clock.advanceAsync(10_000);
    expect(r.state()).toBe('closed');
  });

  test.each<[string, (r: Rig) => void]>([
    ['fails', (r) => r.sockets.last.ends(4403)],
    ['is disconnected', (r) => void r.service.disconnect('terminal:one')],
  ])('belongs to the lease that a listener takes the moment it %s', async (_what, end) => {
    const r = rig();
    await r.open();
    let lease: Promise<Lease> | undefined;
    r.service.on('status', ({ previous }) => {
      if (previous === 'open') lease ??= acquired(r);
    });
    end(r);
    await r.settle();
    expect(r.state()).toBe('open');
    (await lease)?.release();
    await r.clock.advanceAsync(10_000);
    expect(r.state()).toBe('closed');
  });

  test('is not held by a lease of one that was forgotten, nor closed by it', async () => {
    const r = rig({ maxInactive: 0 });
    const [old] = [await acquired(r), await acquired(r)];
    r.sockets.last.ends(4403);
    await r.settle();
    expect(r.service.getConnectionStatus('terminal:one')).toBeNull();
    const lease = await acquired(r);
    old.release();
    await r.clock.advanceAsync(10_000);
    expect(r.state()).toBe('open');
    lease.release();
    await r.clock.advanceAsync(10_000);
    expect(r.service.getConnectionStatus('terminal:one')).toBeNull();
    expect(r.sockets.live).toEqual([]);
  });

  test('is not kept by a connect that fails', async () => {
    const r = rig();
    const lease = await acquired(r);
    r.sockets.last.ends(1006);
    const fate = fateOf(r.service.connect({ ...TERMINAL, timeoutMs: 0 }));
    await r.settle();
    expect(fate.error).toMatchObject({ code: 'CONNECT_DEADLINE' });
    lease.release();
    await r.clock.advanceAsync(10_000);
    expect(r.state()).toBe('closed');
  });

  test('is closed for its last lease once a connect that began before its release has failed', async () => {
    const r = rig();
    const lease = await acquired(r);
    r.sockets.last.ends(1006);
    const fate = fateOf(r.service.connect({ ...TERMINAL, timeoutMs: 100 }));
    lease.release();
    await r.clock.advanceAsync(99);
    expect(fate.kind).toBe('pending');
    await r.clock.advanceAsync(10_000);
    expect([fate.kind, r.state()]).toEqual(['rejected', 'closed']);
  });

  test('is left alone by a connect that fails where no lease was released', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    void connection.close();
    socket.ends(1000);
    void connection.connect();
    await r.settle();
    r.sockets.last.opens();
    r.sockets.last.ends(1006);
    void r.service.connect({ ...TERMINAL, timeoutMs: 0 });
    await r.clock.advanceAsync(1);
    expect(['backoff', 'connecting']).toContain(r.state());
  });

  test.each<[string, (r: Rig) => Promise<Lease>]>([
    [
      'before',
      async (r) => {
        const { connection, socket } = await r.open();
        void connection.close();
        socket.ends(1000);
        void connection.connect();
        await r.settle();
        return acquired(r);
      },
    ],
    [
      'meanwhile',
      async (r) => {
        const lease = await acquired(r);
        await lease.connection.connect();
        return lease;
      },
    ],
  ])('is closed by its last lease where only its object was told to connect %s', async (_when, act) => {
    const r = rig();
    const lease = await act(r);
    expect(r.state()).toBe('open');
    lease.release();
    await r.clock.advanceAsync(10_000);
    expect(r.state()).toBe('closed');
  });

  test('is not closed by leases that ended before it was opened anew', async () => {
    const r = rig();
    const lease = await acquired(r, { releaseDelayMs: 1_000 });
    lease.release();
    void lease.connection.close();
    r.sockets.last.ends(1000);
    void lease.connection.connect();
    await r.settle();
    r.sockets.last.opens();
    await r.clock.advanceAsync(10_000);
    expect(r.state()).toBe('open');
  });

  test('that fails is still failed when nobody holds it any more', async () => {
    const r = rig();
    const fate = fateOf(r.service.acquire(TERMINAL));
    await r.settle();
    r.sockets.last.ends(4403);
    await r.clock.advanceAsync(10_000);
    expect([fate.kind, r.state()]).toEqual(['rejected', 'failed']);
  });

  test('is not made for a wish that was taken back already', async () => {
    const r = rig();
    await expect(r.service.acquire({ ...TERMINAL, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'CONNECT_ABORTED',
    });
    expect(r.service.getConnections()).toEqual([]);
  });

  test('with other params is a conflict, and holds nothing', async () => {
    const r = rig();
    const lease = await acquired(r, { params: { user: 'a' } });
    await expect(r.service.acquire({ ...TERMINAL, params: { user: 'b' } })).rejects.toMatchObject({
      code: 'CONNECTION_CONFLICT',
    });
    lease.release();
    await r.clock.advanceAsync(10_000);
    expect(r.state()).toBe('closed');
  });

  test('that cannot be opened is held by nobody', async () => {
    const r = rig();
    const lease = fateOf(r.service.acquire({ ...TERMINAL, timeoutMs: 100 }));
    await r.clock.advanceAsync(100);
    expect(lease.error).toMatchObject({ code: 'CONNECT_DEADLINE' });
    const next = await acquired(r);
    next.release();
    await r.clock.advanceAsync(10_000);
    expect(r.state()).toBe('closed');
  });

  test('is refused for options that are none', async () => {
    await expect(rig().service.acquire({ ...TERMINAL, releaseDelayMs: -1 })).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
    });
  });

  test('leaves no timer when its service is destroyed, before its release or after', async () => {
    const r = rig();
    const [one, other] = [await acquired(r, { releaseDelayMs: 1_000 }), await acquired(r, { releaseDelayMs: 1_000 })];
    one.release();
    await r.destroy();
    other.release();
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
    await expect(r.service.acquire(TERMINAL)).rejects.toMatchObject({ code: 'SERVICE_DESTROYED' });
  });
});
