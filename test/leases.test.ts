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

  test('stays open for whoever acquires it again in the same turn, as a component that is mounted twice does', async () => {
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
