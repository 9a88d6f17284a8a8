import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';
import { chromium, type Browser, type Page } from 'playwright-core';
import { WebSocketServer, type WebSocket } from 'ws';

const INSTALL = fileURLToPath(new URL('../../scripts/chromium.sh', import.meta.url));
const INSTALL_MS = 300_000;
const SOURCE = fileURLToPath(new URL('../../src/index.ts', import.meta.url));

/** Where Chromium is, installed where it was missing; `undefined` where it cannot be had, which is an error in CI. */
export function findChromium(): string | undefined {
  try {
    return execFileSync(INSTALL, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: INSTALL_MS }).trim();
  } catch (cause) {
    if (process.env['CI'] === 'true') throw cause;
    return undefined;
  }
}

/** A site in a real browser, and the WebSocket server behind it. */
export interface Site {
  /** Opens a page, in a context of its own, that has `EnhancedWebSocketService` and the server's address as globals. */
  visit: () => Promise<Page>;
  /** A page beside it, to go to. */
  elsewhere: string;
  /** The sockets that are open at the server. */
  open: ReadonlySet<WebSocket>;
  close: () => Promise<void>;
}

/** Opens a site in Chromium. Everything is on 127.0.0.1. */
export async function openSite(executablePath: string): Promise<Site> {
  const library = await bundle(SOURCE);
  const server = createServer((request, response) => {
    const [type, body] =
      request.url === '/holdfast.js' ? ['text/javascript', library] : ['text/html', pageOf(request.url)];
    response.setHeader('content-type', `${type}; charset=utf-8`).end(body);
  });
  const sockets = new WebSocketServer({ server });
  const open = new Set<WebSocket>();
  sockets.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const browser = await launch(executablePath);
  return {
    visit: async () => {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(`${url}/app`);
      await page.waitForFunction(() => 'EnhancedWebSocketService' in globalThis);
      return page;
    },
    elsewhere: `${url}/elsewhere`,
    open,
    close: async () => {
      await browser.close();
      for (const socket of open) socket.terminate();
      sockets.close();
      server.close();
    },
  };
}

/** Starts a browser. */
export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-quic',
      '--no-first-run',
    ],
    // playwright switches off what is to be tested
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
}

function pageOf(path: string | undefined): string {
  if (path !== '/app') return '<!doctype html><title>elsewhere</title>';
  return `<!doctype html><title>app</title><script type="module">
    import { EnhancedWebSocketService } from '/holdfast.js';
    Object.assign(globalThis, { EnhancedWebSocketService, address: 'ws://' + location.host + '/' });
  </script>`;
}

/** A module and what it imports, as one for a browser. */
export async function bundle(source: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [source],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0]?.text ?? '';
}
