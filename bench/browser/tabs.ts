import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type CDPSession } from 'playwright-core';

import type { ClientOrders } from '../peers/client-orders.ts';
import type { Candidate } from '../peers/ends.ts';
import type { Gathering, Pair } from '../peers/pairs.ts';
import { Process } from '../peers/process.ts';
import type { ServerOrders } from '../peers/server.ts';
import { deskOf } from './desk.ts';
import { Line } from './line.ts';
import { Site } from './site.ts';
import type { Spent } from './spending.ts';
import { within } from '../within.ts';

const INSTALL = fileURLToPath(new URL('../../scripts/chromium.sh', import.meta.url));
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run',
  // only one of the pages is in front
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
  // what a page takes is told when it is asked for, and not some time later
  '--enable-blink-features=ForceEagerMeasureMemory',
];
// a message is on its way for little more than that: what is measured by the clocks of both ends is no better
const MOST_ERROR_MICROS = 200;
const START_MS = 60_000;

/** A candidate with a page for its client, and a process for its server. */
export interface TabPair extends Pair {
  /** What the client cost when that was last asked for. */
  spent: () => Spent;
}

/** The pages of all candidates in one browser, each opened when it is first needed, in a context of its own: they share no process but that of the sockets. */
export class Tabs {
  readonly #browser: Browser;
  readonly #session: CDPSession;
  readonly #site: Site;
  readonly #pairs = new Map<string, Promise<TabPair>>();
  readonly #servers: Process<ServerOrders>[] = [];
  #errorMicros = 0;

  private constructor(browser: Browser, session: CDPSession, site: Site) {
    this.#browser = browser;
    this.#session = session;
    this.#site = site;
  }

  static async open(): Promise<Tabs> {
    const executablePath = execFileSync(INSTALL, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
    const site = await Site.open();
    try {
      const browser = await chromium.launch({ executablePath, args: ARGUMENTS });
      return new Tabs(browser, await browser.newBrowserCDPSession(), site);
    } catch (error) {
      site.close();
      throw error;
    }
  }

  get version(): string {
    return this.#browser.version();
  }

  /** By how much the clock of a page may be wrong, at the most. */
  get errorMicros(): number {
    return this.#errorMicros;
  }

  of(candidate: Candidate): Promise<TabPair> {
    const known = this.#pairs.get(candidate.name) ?? this.#started(candidate);
    this.#pairs.set(candidate.name, known);
    return known;
  }

  /** Pages are used again, so only their connections end with what is done. */
  readonly gather: Gathering = async (candidates, work) => {
    const pairs: TabPair[] = [];
    // one after the other: a page is told from the others by what it does first
    for (const candidate of candidates) pairs.push(await this.of(candidate));
    try {
      return await work(pairs);
    } finally {
      // a page that is gone is why there is an error, and none of its own
      await Promise.allSettled(pairs.map(({ client }) => client.ask('close')));
    }
  };

  async stop(): Promise<void> {
    for (const server of this.#servers) server.stop();
    this.#site.close();
    await this.#browser.close();
  }

  async #started(candidate: Candidate): Promise<TabPair> {
    const server = new Process<ServerOrders>('./server.ts', [candidate.service]);
    this.#servers.push(server);
    const desk = deskOf(this.#session);
    const socket = await this.#site.visit((url) => this.#show(url));
    const client = new Line<ClientOrders>(socket, desk.orders);
    const { errorMicros, isIsolated } = await within(START_MS, 'setting the clock of a page', desk.ready);
    if (!isIsolated || errorMicros > MOST_ERROR_MICROS)
      throw new Error(`The clock of a page may be wrong by ${errorMicros} µs; isolated: ${isIsolated}.`);
    this.#errorMicros = Math.max(this.#errorMicros, errorMicros);
    const url = `ws://127.0.0.1:${await server.ask('port')}`;
    return { candidate, url, client, server, spent: desk.spent };
  }

  // not by the library's own pages: it watches what they load, and so each frame of a socket would be told to it, which costs more than the frame does
  async #show(url: string): Promise<void> {
    const { browserContextId } = await this.#session.send('Target.createBrowserContext');
    await this.#session.send('Target.createTarget', { url, browserContextId });
  }
}
