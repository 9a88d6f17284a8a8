import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

import type { BrowserContext, Page } from 'playwright-core';

import type { IndexedDbSinkOptions } from '../../src/audit/sinks/indexed-db.ts';
import { AuditError, type ErrorRecord } from '../../src/errors.ts';
import type { ReachedSink } from '../contract/audit-sink.ts';
import type { AuditPage } from './audit-page.ts';
import { bundle, launch } from './browser.ts';

const SOURCE = fileURLToPath(new URL('./audit-page.ts', import.meta.url));

/** A site whose pages have the audit log's parts for browsers, see {@link AuditPage}. */
export interface AuditSite {
  /** A context of its own: what its pages store is gone with it. */
  context: () => Promise<BrowserContext>;
  visit: (context: BrowserContext) => Promise<Page>;
  close: () => Promise<void>;
}

export async function openAuditSite(executablePath: string): Promise<AuditSite> {
  const script = await bundle(SOURCE);
  const server = createServer((request, response) => {
    const [type, body] =
      request.url === '/audit.js'
        ? ['text/javascript', script]
        : ['text/html', '<!doctype html><title>audit</title><script type="module" src="/audit.js"></script>'];
    response.setHeader('content-type', `${type}; charset=utf-8`).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const browser = await launch(executablePath);
  return {
    context: () => browser.newContext(),
    visit: async (context) => {
      const page = await context.newPage();
      await page.goto(url);
      await page.waitForFunction(() => 'indexedDbSink' in globalThis);
      return page;
    },
    close: async () => {
      await browser.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

let made = 0;

/** A sink in a page. */
export function reach(page: Page, options: Omit<IndexedDbSinkOptions, 'indexedDB' | 'locks'> = {}): ReachedSink {
  const id = (made += 1);
  const name = options.name ?? 'indexeddb';
  const call = async <Result>(method: string, ...args: unknown[]): Promise<Result> => {
    const answer = await page.evaluate(
      async (asked) => {
        const { sinks, indexedDbSink } = globalThis as unknown as AuditPage;
        const sink = sinks.get(asked.id) ?? indexedDbSink(asked.options);
        sinks.set(asked.id, sink);
        try {
          const methods = sink as unknown as Record<string, (...given: unknown[]) => unknown>;
          return { result: await methods[asked.method]?.(...asked.args) };
        } catch (error) {
          const { message } = error as Error;
          return { message, error: JSON.parse(JSON.stringify(error)) as ErrorRecord };
        }
      },
      { id, options, method, args },
    );
    if (answer.error)
      throw new AuditError(answer.error.code, { sink: answer.error.sink ?? '', message: answer.message });
    return answer.result as Result;
  };
  return {
    name,
    open: () => call('open'),
    append: (lines) => call('append', lines),
    isFull: () => call('isFull'),
    rotate: () => call('rotate'),
    flush: () => call('flush'),
    close: () => call('close'),
  };
}

/** What a database holds, read in pages. */
export function read(page: Page, options: { database?: string; pageSize?: number } = {}): Promise<string[]> {
  return page.evaluate(async (given) => {
    const lines: string[] = [];
    for await (const line of (globalThis as unknown as AuditPage).readIndexedDb(given)) lines.push(line);
    return lines;
  }, options);
}

/** How many Web Locks are held or waited for. */
export function locks(page: Page): Promise<{ held: number; pending: number }> {
  return page.evaluate(async () => {
    const { held = [], pending = [] } = await navigator.locks.query();
    return { held: held.length, pending: pending.length };
  });
}
