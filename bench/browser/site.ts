import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { WebSocketServer, type WebSocket } from 'ws';

import { bundledForBrowser } from '../browser-bundle.ts';
import { within } from '../within.ts';

const SCRIPT = fileURLToPath(new URL('page.ts', import.meta.url));
const PAGE = '<!doctype html><title>bench</title><script type="module" src="/page.js"></script>';
const START_MS = 60_000;

/** Serves a page, and hears from each of those that were opened. Everything is on 127.0.0.1. */
export class Site {
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #expected = new Map<string, (socket: WebSocket) => void>();
  #visits = 0;

  private constructor(script: Buffer) {
    this.#http = createServer((request, response) => {
      const [type, body] = request.url === '/page.js' ? ['text/javascript', script] : ['text/html', PAGE];
      // the clock of a page is precise only where nobody else can be
      response.setHeader('cross-origin-opener-policy', 'same-origin');
      response.setHeader('cross-origin-embedder-policy', 'require-corp');
      response.setHeader('content-type', `${type}; charset=utf-8`).end(body);
    });
    this.#sockets = new WebSocketServer({ server: this.#http, perMessageDeflate: false });
    this.#sockets.on('connection', (socket, request) => this.#expected.get(request.url ?? '')?.(socket));
  }

  static async open(): Promise<Site> {
    const site = new Site(Buffer.from(await bundledForBrowser({ entryPoints: [SCRIPT] })));
    await once(site.#http.listen(0, '127.0.0.1'), 'listening');
    return site;
  }

  /** A visitor comes. @returns The socket of the page */
  async visit(come: (url: string) => Promise<unknown>): Promise<WebSocket> {
    const path = `/?${++this.#visits}`;
    const socket = new Promise<WebSocket>((resolve) => this.#expected.set(path, resolve));
    await come(`http://127.0.0.1:${(this.#http.address() as AddressInfo).port}${path}`);
    return within(START_MS, 'opening a page', socket);
  }

  close(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    this.#http.close();
    this.#http.closeAllConnections();
  }
}
