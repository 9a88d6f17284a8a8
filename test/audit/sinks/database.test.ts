import { describe, expect, test } from 'vitest';

import { openDatabase, readIndexedDb, valueOf, write } from '../../../src/audit/sinks/database.ts';

// what is stored is tried in a real browser: test/browser/audit.test.ts

describe('a database', () => {
  test('cannot be had where the platform has none', async () => {
    await expect(openDatabase('log')).rejects.toThrow('The platform has no IndexedDB.');
    await expect(readIndexedDb().next()).rejects.toThrow('The platform has no IndexedDB.');
  });

  test('is read by options that make sense', () => {
    const options = { database: '', pageSize: 0, indexedDB: {} };
    for (const name of Object.keys(options)) expect(() => readIndexedDb(options as never)).toThrow(`${name}: must be`);
  });

  test('tells why it gave nothing', async () => {
    const error = new DOMException('no room', 'QuotaExceededError');
    const request = { error } as IDBRequest;
    const value = valueOf(request);
    request.onerror?.(new Event('error'));
    await expect(value).rejects.toBe(error);
  });
});

describe('a transaction', () => {
  interface Fake extends IDBTransaction {
    aborts: number;
  }
  const transactionOf = (fields: Partial<IDBTransaction> = {}): Fake => {
    const fake = {
      error: null,
      aborts: 0,
      abort: () => {
        fake.aborts += 1;
        fake.onabort?.(new Event('abort'));
      },
      ...fields,
    } as Fake;
    return fake;
  };

  test('has stored what was written when it is complete', async () => {
    const transaction = transactionOf();
    let isStored = false;
    const written = write(transaction, () => undefined).then(() => (isStored = true));
    await Promise.resolve();
    expect(isStored).toBe(false);
    transaction.oncomplete?.(new Event('complete'));
    await written;
  });

  test('has stored nothing when it was given up', async () => {
    const error = new DOMException('no room', 'QuotaExceededError');
    const transaction = transactionOf({ error });
    const written = write(transaction, () => undefined);
    transaction.onabort?.(new Event('abort'));
    await expect(written).rejects.toBe(error);
  });

  test('is given up when not everything could be written, also where it has ended by itself', async () => {
    const cause = new Error('no');
    const refuse = (): never => {
      throw cause;
    };
    const transaction = transactionOf();
    await expect(write(transaction, refuse)).rejects.toBe(cause);
    expect(transaction.aborts).toBe(1);
    await expect(write(transactionOf({ abort: refuse }), () => Promise.reject(cause))).rejects.toBe(cause);
  });
});
