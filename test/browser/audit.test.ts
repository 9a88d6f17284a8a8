import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { headOf } from '../../src/audit/sinks/stored.ts';
import { auditSinkContract, type ReachedSink } from '../contract/audit-sink.ts';
import { auditLines, Chain } from '../support/audit-lines.ts';
import { locks, openAuditSite, reach, read, type AuditSite } from './audit-site.ts';
import type { AuditPage } from './audit-page.ts';
import { findChromium } from './browser.ts';

const chromium = findChromium();
if (!chromium) console.warn('Skipped: no Chromium. scripts/chromium.sh installs that of Debian; it needs root.');

describe.skipIf(!chromium)('an audit log in IndexedDB', () => {
  let site: AuditSite;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    site = await openAuditSite(chromium ?? '');
  });

  afterAll(() => site.close());

  beforeEach(async () => {
    context = await site.context();
    page = await site.visit(context);
  });

  afterEach(() => context.close());

  auditSinkContract('of a page in Chromium', ['fail', 'resume', 'rotate'], () => {
    const options = { maxRecordsPerSegment: 4, maxSegments: 3 };
    return {
      sink: reach(page, options),
      stored: () => read(page, { pageSize: 100 }),
      another: () => reach(page, options),
      segments: { lines: 4, kept: 3 },
      fail: () => breakOnce(page),
      held: async () => {
        const { held, pending } = await locks(page);
        return held + pending;
      },
      stop: () => undefined,
    };
  });

  async function settles(opening: unknown): Promise<unknown> {
    return await Promise.race([opening, locks(page).then(() => 'waiting')]);
  }

  /** Another page, whose sink waits for the first to end. */
  async function waiting(): Promise<{ second: ReachedSink; opening: Promise<unknown> }> {
    const second = reach(await site.visit(context));
    const opening = Promise.resolve(second.open?.());
    opening.catch(() => undefined);
    for (;;) if ((await locks(page)).pending === 1) return { second, opening };
  }

  test('is taken over by a page that has waited, when the first closes', async () => {
    const lines = auditLines(4);
    const first = reach(page);
    await first.open?.();
    await first.append(lines.slice(0, 2));
    const { second, opening } = await waiting();
    expect(await settles(opening)).toBe('waiting');
    await first.append(lines.slice(2, 3));
    await first.close?.();
    expect(await opening).toEqual({ line: lines[2], segment: 1 });
    await second.append(lines.slice(3));
    expect(await read(page)).toEqual(lines);
    expect(await locks(page)).toEqual({ held: 1, pending: 0 });
  });

  test('is taken over when the page that writes is killed, with all that was stored', async () => {
    const chain = new Chain();
    const lines = chain.lines(20);
    const killed = await site.visit(context);
    const first = reach(killed);
    await first.open?.();
    for (const line of lines) await first.append([line]);
    const { second, opening } = await waiting();
    const session = await context.newCDPSession(killed);
    await Promise.race([session.send('Page.crash').catch(() => undefined), killed.waitForEvent('crash')]);
    expect(await opening).toEqual({ line: lines.at(-1), segment: 1 });
    const more = chain.lines(1);
    await second.append(more);
    expect(await read(page)).toEqual([...lines, ...more]);
  });

  test('is not waited for any longer by a sink that is closed', async () => {
    const first = reach(page);
    await first.open?.();
    const { second, opening } = await waiting();
    await second.close?.();
    await expect(opening).rejects.toMatchObject({ code: 'AUDIT_SINK_FAILED', message: 'The sink is closed.' });
    expect(await locks(page)).toEqual({ held: 1, pending: 0 });
  });

  test('has a lock for each database', async () => {
    const [one, other] = [reach(page, { database: 'one' }), reach(page, { database: 'other' })];
    await one.open?.();
    await other.open?.();
    await one.append(auditLines(1));
    expect([await read(page, { database: 'one' }), await read(page, { database: 'other' })]).toEqual([
      auditLines(1),
      [],
    ]);
  });

  test('is read in pages of any size', async () => {
    const lines = auditLines(7);
    const sink = reach(page);
    await sink.open?.();
    await sink.append(lines);
    for (const pageSize of [1, 3, 7, 8]) expect(await read(page, { pageSize })).toEqual(lines);
  });

  test('keeps the running segment alone where that is all it may keep', async () => {
    const lines = auditLines(2);
    const sink = reach(page, { maxRecordsPerSegment: 1, maxSegments: 1 });
    await sink.open?.();
    await sink.append(lines.slice(0, 1));
    expect(await sink.rotate?.()).toEqual([{ segment: 1, ...headOf(lines[0] ?? '') }]);
    await sink.flush?.();
    expect(await read(page)).toEqual(lines.slice(0, 1));
    await sink.append(lines.slice(1));
    expect(await read(page)).toEqual(lines.slice(1));
  });

  test('is left as it is where its last line does not hold, and the lock with it', async () => {
    const chain = new Chain();
    const forged = chain.next().replace('"mono":0', '"mono":1');
    const first = reach(page);
    await first.open?.();
    await first.append([forged]);
    await first.close?.();
    await expect(reach(page).open?.()).rejects.toMatchObject({ code: 'AUDIT_LOG_INVALID', sink: 'indexeddb' });
    expect(await read(page)).toEqual([forged]);
    expect(await locks(page)).toEqual({ held: 0, pending: 0 });
  });

  test('takes no line whose place is taken', async () => {
    const lines = auditLines(3);
    const sink = reach(page);
    await sink.open?.();
    await sink.append(lines.slice(0, 2));
    await expect(sink.append([...lines.slice(2), ...lines.slice(1, 2)])).rejects.toMatchObject({
      code: 'AUDIT_SINK_FAILED',
    });
    expect(await read(page)).toEqual(lines.slice(0, 2));
  });

  test('refuses lines when somebody has deleted the database, which nothing holds', async () => {
    const sink = reach(page);
    await sink.open?.();
    await sink.append(auditLines(1));
    const outcome = await page.evaluate(async () => {
      const { readIndexedDb } = globalThis as unknown as AuditPage;
      // one who stops reading early lets go of it
      for await (const line of readIndexedDb()) if (line) break;
      return new Promise<string>((resolve) => {
        const request = indexedDB.deleteDatabase('holdfast-audit');
        request.onsuccess = () => resolve('deleted');
      });
    });
    expect(outcome).toBe('deleted');
    await expect(sink.append(auditLines(1))).rejects.toMatchObject({ code: 'AUDIT_SINK_FAILED' });
    await sink.close?.();
    expect(await locks(page)).toEqual({ held: 0, pending: 0 });
  });
});

/** Lets the next batch of a page fail after its second line: as a throw, or as the transaction's end. */
async function breakOnce(page: Page): Promise<void> {
  await page.evaluate(() => {
    const { prototype } = IDBObjectStore;
    const add = Object.getOwnPropertyDescriptor(prototype, 'add')?.value as (
      ...args: unknown[]
    ) => IDBRequest<IDBValidKey>;
    let calls = 0;
    prototype.add = function (this: IDBObjectStore, ...args) {
      calls += 1;
      if (calls < 3) return add.apply(this, args);
      prototype.add = add;
      throw new DOMException('no room', 'QuotaExceededError');
    };
  });
}
