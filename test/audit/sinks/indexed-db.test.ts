import { describe, expect, test } from 'vitest';

import { indexedDbSink } from '../../../src/audit/sinks/indexed-db.ts';

// what is stored is tried in a real browser: test/browser/audit.test.ts

/** Locks that are granted when it is said. */
class Locks {
  readonly names: string[] = [];
  held = 0;
  grant: () => void = () => undefined;

  request = (...[name, { signal }, held]: [string, LockOptions, () => Promise<void>]): Promise<unknown> => {
    this.names.push(name);
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error));
      this.grant = () => {
        this.held += 1;
        void held().then(() => resolve((this.held -= 1)));
      };
    });
  };
}

const locksOf = (locks: Locks): Pick<LockManager, 'request'> => locks as unknown as LockManager;
const NO_DATABASE = { open: () => undefined } as unknown as IDBFactory;

describe('the IndexedDB sink', () => {
  test('has a name, and refuses options that make no sense', () => {
    expect([indexedDbSink().name, indexedDbSink({ name: 'mine' }).name]).toEqual(['indexeddb', 'mine']);
    const options = { database: '', maxRecordsPerSegment: 0, maxSegments: 0, indexedDB: {}, locks: {} };
    for (const name of Object.keys(options)) expect(() => indexedDbSink(options as never)).toThrow(`${name}: must be`);
  });

  test('cannot be opened where the platform lacks what it needs', async () => {
    const locks = new Locks();
    const failure = (reason: string): object => ({
      ...{ name: 'AuditError', code: 'AUDIT_SINK_FAILED', sink: 'indexeddb' },
      cause: { message: reason },
    });
    await expect(indexedDbSink().open?.()).rejects.toMatchObject(failure('The platform has no Web Locks.'));
    const opening = indexedDbSink({ locks: locksOf(locks) }).open?.();
    locks.grant();
    await expect(opening).rejects.toMatchObject(failure('The platform has no IndexedDB.'));
    expect(locks).toMatchObject({ names: ['holdfast-audit:holdfast-audit'], held: 0 });
  });

  test('waits for its lock until it is closed, and opens nothing afterwards', async () => {
    const locks = new Locks();
    const sink = indexedDbSink({ database: 'log', locks: locksOf(locks), indexedDB: NO_DATABASE });
    const opening = sink.open?.();
    await sink.close?.();
    await expect(opening).rejects.toMatchObject({ message: 'The sink is closed.' });
    await expect(sink.open?.()).rejects.toMatchObject({ message: 'The sink is closed.' });
    expect(locks).toMatchObject({ names: ['holdfast-audit:log'], held: 0 });
  });

  test('lets go of a lock that is granted while it is closed', async () => {
    const locks = new Locks();
    const sink = indexedDbSink({ locks: locksOf(locks) });
    const opening = sink.open?.();
    locks.grant();
    await sink.close?.();
    await expect(opening).rejects.toMatchObject({ code: 'AUDIT_SINK_FAILED' });
    expect(locks.held).toBe(0);
  });

  test('takes nothing before it is open', async () => {
    const sink = indexedDbSink({ locks: locksOf(new Locks()), indexedDB: NO_DATABASE });
    expect(sink.isFull?.()).toBe(false);
    await expect(sink.append(['a'])).rejects.toMatchObject({ cause: { message: 'it is not open' } });
    await sink.flush?.();
    await sink.close?.();
  });
});
