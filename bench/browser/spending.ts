import { readdirSync, readFileSync } from 'node:fs';
import type { CDPSession } from 'playwright-core';

/** Time of the processor that each thread has had, by its id, in µs. */
export type Threads = ReadonlyMap<number, number>;

/** What the threads of a page's process have had, and those of the process that has the sockets. */
export interface Look {
  process: number;
  page: Threads;
  network: Threads;
}

/** Time of the processor in µs. */
export interface Spent {
  /** Of the page's main thread: where its script runs, and nothing else meanwhile. */
  main: number;
  /** Of all threads of the page's process. */
  page: number;
  /** Of the process that has the sockets of all pages. */
  network: number;
}

const NETWORK = 'network.mojom.NetworkService';
// as much of it as the name of a thread has room for
const WORKER = 'DedicatedWorker';

/**
 * Counts what a page costs. It reads what the scheduler of Linux has counted for each thread, in nanoseconds: `SystemInfo.getProcessInfo` and the `ProcessTime` of `Performance.getMetrics` count in steps of 10 ms, which
 * is a tenth of many a run; `ThreadTime` is precise, but knows the main thread alone, and more than half of what a message costs is not there.
 */
export class Spending {
  readonly #session: CDPSession;
  // the process of the page
  #process = 0;
  #before: Look = { process: 0, page: new Map(), network: new Map() };

  /** `session`: of the browser, not of a page. */
  constructor(session: CDPSession) {
    this.#session = session;
  }

  /** Finds the process of the page: the only one that has a worker just now. The browser does not tell. */
  async find(): Promise<void> {
    const renderers = (await this.#processes()).filter(({ type }) => type === 'renderer');
    const found = renderers.filter(({ id }) => threadsOf(id).some(({ name }) => name === WORKER));
    const [only] = found;
    if (!only || found.length > 1) throw new Error(`${found.length} processes of ${renderers.length} have a worker.`);
    this.#process = only.id;
  }

  async begin(): Promise<void> {
    this.#before = await this.#look();
  }

  /** Since it began. */
  async spent(): Promise<Spent> {
    return spentBetween(this.#before, await this.#look());
  }

  async #look(): Promise<Look> {
    const network = (await this.#processes()).find(({ type }) => type === NETWORK);
    if (!network) throw new Error('The browser has no process for its sockets.');
    return { process: this.#process, page: timesOf(this.#process), network: timesOf(network.id) };
  }

  async #processes() {
    return (await this.#session.send('SystemInfo.getProcessInfo')).processInfo;
  }
}

/** What a page cost from one look to the next. */
export function spentBetween(before: Look, after: Look): Spent {
  const page = growth(before.page, after.page);
  return {
    // the main thread of a process has the number of the process
    main: page.get(after.process) ?? 0,
    page: sum(page),
    network: sum(growth(before.network, after.network)),
  };
}

function growth(before: Threads, after: Threads): Threads {
  return new Map([...after].map(([id, micros]) => [id, micros - (before.get(id) ?? 0)]));
}

function sum(threads: Threads): number {
  return [...threads.values()].reduce((total, micros) => total + micros, 0);
}

function timesOf(process: number): Threads {
  const threads = threadsOf(process);
  if (threads.length === 0) throw new Error(`Nothing is known of the process ${process}.`);
  return new Map(threads.map(({ id, micros }) => [id, micros]));
}

// one that has ended meanwhile is left out
function threadsOf(process: number): { id: number; name: string; micros: number }[] {
  const folder = `/proc/${process}/task`;
  return (tried(() => readdirSync(folder)) ?? []).flatMap((thread) => {
    const read = (file: string): string => readFileSync(`${folder}/${thread}/${file}`, 'utf8').trim();
    const one = tried(() => ({ name: read('comm'), micros: Number(read('schedstat').split(' ')[0]) / 1_000 }));
    return one ? [{ id: Number(thread), ...one }] : [];
  });
}

function tried<Value>(get: () => Value): Value | undefined {
  try {
    return get();
  } catch {
    return undefined;
  }
}
