import { describe, expect, test } from 'vitest';

import { HoldfastError } from '../src/errors.ts';
import type { Connection } from '../src/handle.ts';
import type { Leases } from '../src/leases.ts';
import type { ConnectOptions } from '../src/options.ts';
import { Wishes } from '../src/wishes.ts';
import { deferred, fateOf, microtasks } from './support/service.ts';

interface Made {
  wishes: Wishes;
  /** What was done, in order. */
  done: unknown[];
  opening: { resolve(value: unknown): void; reject(error: Error): void };
  is: { alive: boolean };
}

function made(): Made {
  const done: unknown[] = [];
  const opening = deferred<unknown>();
  const is = { alive: true };
  const connection = {
    id: 'chat',
    connect: (options: unknown) => {
      done.push(['connect', options]);
      return opening.promise;
    },
  } as unknown as Connection;
  const leases = {
    keep: () => done.push('kept'),
    acquire: () => Promise.resolve('a lease'),
  } as unknown as Leases;
  const wishes = new Wishes({
    leases,
    requireAlive: () => {
      if (!is.alive) throw new HoldfastError('SERVICE_DESTROYED');
    },
    connectionFor: ({ serviceType }) => {
      done.push(['made', serviceType]);
      return connection;
    },
  });
  return { wishes, done, opening, is };
}

describe('a wish for a connection', () => {
  test('to have it open ends with its id once it is, and is kept from the first moment on', async () => {
    const { wishes, done, opening } = made();
    const { signal } = new AbortController();
    const fate = fateOf(wishes.connect({ serviceType: 'chat', signal, timeoutMs: 5 }));
    await microtasks();
    expect([fate.kind, done]).toEqual(['pending', [['made', 'chat'], ['connect', { signal, timeoutMs: 5 }], 'kept']]);
    opening.resolve(undefined);
    await microtasks();
    expect(fate).toMatchObject({ kind: 'resolved', value: 'chat' });
  });

  test('to have it open ends as the opening does', async () => {
    const { wishes, opening } = made();
    const fate = fateOf(wishes.connect({ serviceType: 'chat' }));
    const refused = new HoldfastError('INTERNAL_FAULT');
    opening.reject(refused);
    await microtasks();
    expect(fate.error).toBe(refused);
  });

  test('to have it for a while is a lease of it', async () => {
    const { wishes, done } = made();
    await expect(wishes.acquire({ serviceType: 'chat' })).resolves.toBe('a lease');
    expect(done).toEqual([['made', 'chat']]);
  });

  test.each<[what: string, options: ConnectOptions, code: string]>([
    ['that was taken back already', { serviceType: 'chat', signal: AbortSignal.abort() }, 'CONNECT_ABORTED'],
    ['that makes no sense', { serviceType: 7 as never }, 'INVALID_OPTIONS'],
    ['that nobody can read', null as never, 'INVALID_OPTIONS'],
  ])('%s makes nothing', async (_what, options, code) => {
    const { wishes, done } = made();
    await expect(wishes.connect(options)).rejects.toMatchObject({ code });
    await expect(wishes.acquire(options)).rejects.toMatchObject({ code });
    expect(done).toEqual([]);
  });

  test('is refused after the end, whatever it says', async () => {
    const { wishes, done, is } = made();
    is.alive = false;
    await expect(wishes.connect({ serviceType: 'chat' })).rejects.toMatchObject({ code: 'SERVICE_DESTROYED' });
    await expect(wishes.acquire(null as never)).rejects.toMatchObject({ code: 'SERVICE_DESTROYED' });
    expect(done).toEqual([]);
  });

  test('takes an option of its own to have it for a while only', async () => {
    const { wishes } = made();
    await expect(wishes.acquire({ serviceType: 'chat', releaseDelayMs: 5 })).resolves.toBeDefined();
    await expect(wishes.connect({ serviceType: 'chat', releaseDelayMs: 5 } as never)).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
    });
  });
});
