import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { EnhancedWebSocketService } from '../../src/index.ts';
import { until } from '../support/deadline.ts';
import { findChromium, openSite, type Site } from './browser.ts';

/** What the page has as globals. */
interface Globals {
  EnhancedWebSocketService: typeof EnhancedWebSocketService;
  address: string;
  service: EnhancedWebSocketService;
  /** States and the reasons of waits, in order. */
  seen: string[];
  /** Whether the page came back from the back/forward cache. */
  wasKept: boolean;
}

const chromium = findChromium();
if (!chromium) console.warn('Skipped: no Chromium. scripts/chromium.sh installs that of Debian; it needs root.');

describe.skipIf(!chromium)('a connection in a page of Chromium', () => {
  let site: Site;
  let page: Page;

  beforeAll(async () => {
    site = await openSite(chromium ?? '');
  });

  afterAll(() => site.close());

  beforeEach(async () => {
    page = await site.visit();
    await page.evaluate(async () => {
      const globals = globalThis as unknown as Globals;
      const service = new globals.EnhancedWebSocketService({ services: { main: { url: globals.address } } });
      Object.assign(globals, { service, seen: [], wasKept: false });
      service.on('status', ({ current }) => globals.seen.push(current));
      service.on('retrying', ({ waitingFor }) => globals.seen.push(waitingFor));
      addEventListener('pageshow', ({ persisted }) => {
        globals.wasKept = persisted;
      });
      await service.connect({ serviceType: 'main' });
    });
  });

  afterEach(async () => {
    await page.context().close();
    await until('the server has seen every socket go', () => site.open.size === 0);
  });

  /** Waits until the last that was seen in the page is this. */
  async function sees(last: string): Promise<void> {
    await page.waitForFunction((wanted) => (globalThis as unknown as Globals).seen.at(-1) === wanted, last);
  }

  const told = (): Promise<Pick<Globals, 'seen' | 'wasKept'>> =>
    page.evaluate(() => {
      const { seen, wasKept } = globalThis as unknown as Globals;
      return { seen, wasKept };
    });

  test('lets go of its socket when the page is left, so that it can be kept, and is open again on the way back (pain 37)', async () => {
    await page.goto(site.elsewhere);
    await until('the server has seen the socket go', () => site.open.size === 0);
    await page.evaluate(() => {
      history.back();
    });
    await until('there is another', () => site.open.size === 1);
    await sees('open');
    const { seen, wasKept } = await told();
    expect(wasKept).toBe(true);
    // whether it is first hidden or visible when it is back is the browser's affair
    expect([...seen.slice(0, 4), ...seen.slice(-2)]).toEqual([
      ...['connecting', 'open', 'backoff', 'page'],
      ...['connecting', 'open'],
    ]);
  });

  test('waits for the network when the browser is offline, and comes back when it is online', async () => {
    await page.context().setOffline(true);
    for (const socket of site.open) socket.terminate();
    await sees('network');
    await page.context().setOffline(false);
    await sees('open');
    const { seen } = await told();
    expect(seen).toEqual(['connecting', 'open', 'backoff', 'network', 'delay', 'connecting', 'open']);
  });

  test('is closed with its service, by a frame that the server gets', async () => {
    const codes: number[] = [];
    for (const socket of site.open) socket.on('close', (code) => codes.push(code));
    await page.evaluate(() => (globalThis as unknown as Globals).service.destroy());
    await until('the server has seen it go', () => site.open.size === 0);
    expect(codes).toEqual([1000]);
  });
});
