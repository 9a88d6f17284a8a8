import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { headOf } from '../../../src/audit/sinks/stored.ts';
import { httpSink, type HttpSinkOptions } from '../../../src/audit/sinks/http.ts';
import type { AuditSink } from '../../../src/audit/sink.ts';
import { auditSinkContract } from '../../contract/audit-sink.ts';
import { auditLines } from '../../support/audit-lines.ts';
import { SimulatedClock } from '../../../src/testing/clock.ts';

interface Request {
  headers: IncomingHttpHeaders;
  lines: string[];
}

/** A server that keeps the lines that it is sent, and drops what it has. */
class Collector {
  readonly requests: Request[] = [];
  readonly stored: string[] = [];
  /** Answers the next requests instead. */
  readonly answers: ((response: ServerResponse, request: Request) => void)[] = [];
  readonly #keys = new Set<unknown>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      void buffer(request).then((body) => {
        const seen = { headers: request.headers, lines: body.toString().split('\n').slice(0, -1) };
        this.requests.push(seen);
        const answer = this.answers.shift();
        if (answer) answer(response, seen);
        else this.store(response, seen);
      });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/log?token=secret`;
  }

  /** How many lines each request had. */
  get sizes(): number[] {
    return this.requests.map(({ lines }) => lines.length);
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  store(response: ServerResponse, { headers, lines }: Request): void {
    const key = headers['idempotency-key'];
    if (!this.#keys.has(key)) this.stored.push(...lines);
    this.#keys.add(key);
    response.writeHead(204).end();
  }

  refuse(status: number, headers: Record<string, string> = {}): void {
    this.answers.push((response) => response.writeHead(status, headers).end('no'));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

auditSinkContract('of a server', ['fail'], async () => {
  const collector = await new Collector().listen();
  const clock = new SimulatedClock();
  return {
    sink: httpSink({ url: collector.url, clock }),
    stored: () => collector.stored,
    fail: () => collector.refuse(503),
    held: () => clock.pending(),
    stop: () => collector.close(),
  };
});

describe('the HTTP sink', () => {
  let collector: Collector;
  let clock: SimulatedClock;

  beforeEach(async () => {
    collector = await new Collector().listen();
    clock = new SimulatedClock();
  });

  afterEach(() => collector.close());

  const sinkOf = (options: Partial<HttpSinkOptions> = {}): AuditSink =>
    httpSink({ url: collector.url, clock, ...options });
  const failureOf = (appended: void | Promise<void>): Promise<unknown> =>
    Promise.resolve(appended).then(
      () => null,
      (error: unknown) => error,
    );
  /** Three lines that are posted one by one. */
  const three = auditLines(3, { filler: 'x'.repeat(500) });
  const ONE_BY_ONE = { maxBatchBytes: 900 };

  test('posts NDJSON with its headers, those of a function asked for each time', async () => {
    await sinkOf({ headers: { authorization: 'Bearer a' } }).append(['{}', '{}']);
    let asked = 0;
    const fresh = sinkOf({
      headers: () => Promise.resolve({ authorization: `Bearer ${(asked += 1)}` }),
      ...ONE_BY_ONE,
    });
    await fresh.append(three);
    expect(collector.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer a',
      'Bearer 1',
      'Bearer 2',
      'Bearer 3',
    ]);
    expect(collector.requests[0]?.headers['content-type']).toBe('application/x-ndjson');
  });

  test('splits what is too large for one request by its bytes, and lets a longer line go alone', async () => {
    const lines = auditLines(6, { filler: 'ü'.repeat(100) });
    const bytes = Buffer.byteLength(lines[0] ?? '') + 1;
    await sinkOf({ maxBatchBytes: 2 * bytes }).append(lines);
    await sinkOf({ maxBatchBytes: 1 }).append(auditLines(2));
    expect(collector.sizes).toEqual([2, 2, 2, 1, 1]);
    expect(collector.stored.slice(0, 6)).toEqual(lines);
  });

  test('sends only what is not stored when a later part has failed', async () => {
    const sink = sinkOf(ONE_BY_ONE);
    collector.answers.push((response, request) => collector.store(response, request));
    collector.refuse(500);
    expect(await failureOf(sink.append(three))).toMatchObject({ httpStatus: 500 });
    expect(collector.stored).toEqual(three.slice(0, 1));
    await sink.append(three);
    expect(collector.stored).toEqual(three);
    expect(collector.requests.map(({ lines }) => lines)).toEqual([[three[0]], [three[1]], [three[1]], [three[2]]]);
  });

  test('sends what may be stored again as it was, so that the server can tell', async () => {
    const sink = sinkOf();
    collector.answers.push((response, request) => {
      collector.store(new Proxy(response, { get: () => () => ({ end: () => null }) }), request);
      response.destroy();
    });
    expect(await failureOf(sink.append(three.slice(0, 2)))).toMatchObject({ code: 'AUDIT_SINK_FAILED' });
    await sink.append(three);
    expect(collector.stored).toEqual(three);
    const keys = collector.requests.map(({ headers }) => headers['idempotency-key']);
    const [first, second, third] = three.map((line) => headOf(line).hash);
    expect(keys).toEqual([`${first}-${second}`, `${first}-${second}`, `${third}-${third}`]);
  });

  test.each([
    [503, { 'retry-after': '7' }, 7_000],
    [429, { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }, 30_000],
    [400, {}, undefined],
    [302, { location: 'http://127.0.0.1:9/' }, undefined],
  ])('takes %i for a failure, and says what the server asked for', async (status, headers, retryAfterMs) => {
    collector.refuse(status, headers);
    expect(await failureOf(sinkOf().append(three))).toMatchObject({
      code: 'AUDIT_SINK_FAILED',
      sink: 'http',
      httpStatus: status,
      retryAfterMs,
      message: `The server answered ${status}.`,
    });
    expect(collector.requests).toHaveLength(1);
  });

  test('gives a request up that takes too long, and its timer with it', async () => {
    const asked = new Promise<void>((resolve) => collector.answers.push(() => resolve()));
    const failure = failureOf(sinkOf({ timeoutMs: 50 }).append(three));
    await asked;
    await clock.advanceAsync(50);
    expect(await failure).toMatchObject({ message: 'The server did not answer in 50 ms.' });
    expect(clock.pending()).toBe(0);
  });

  test('gives headers up that never come, and a request when it is closed', async () => {
    const failure = failureOf(sinkOf({ headers: () => new Promise(() => undefined) }).append(three));
    await clock.advanceAsync(10_000);
    expect(await failure).toMatchObject({ message: 'The server did not answer in 10000 ms.' });
    const sink = sinkOf({ fetch: () => new Promise(() => undefined) });
    const closed = failureOf(sink.append(three));
    await sink.close?.();
    expect(await closed).toMatchObject({ message: 'The sink is closed.' });
    expect([clock.pending(), collector.requests.length]).toEqual([0, 0]);
  });

  test('says nothing of the URL or the headers, whatever the platform says', async () => {
    const headers = { authorization: 'Bearer secret\u0000' };
    const quoting = (): never => {
      throw Object.assign(new TypeError(`request to ${collector.url} failed`), { code: 'ECONNREFUSED' });
    };
    const nothing = (): never => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error
      throw null;
    };
    const failures = await Promise.all([
      failureOf(sinkOf({ headers }).append(three)),
      failureOf(sinkOf({ fetch: quoting }).append(three)),
      failureOf(sinkOf({ fetch: nothing }).append(three)),
      failureOf(sinkOf({ url: 'http://127.0.0.1:1/?token=secret' }).append(three)),
    ]);
    expect(failures.map((error) => (error as Error).message)).toEqual([
      'The request failed: TypeError.',
      'The request failed: ECONNREFUSED.',
      'The request failed: an unknown error.',
      expect.stringMatching(/^The request failed: \w+\.$/),
    ]);
    for (const error of failures) {
      expect(error).not.toHaveProperty('cause');
      expect(String((error as Error).stack)).not.toContain('secret');
    }
  });

  test('tells what the function of the headers threw', async () => {
    const cause = new Error('signed out');
    const failure = failureOf(sinkOf({ headers: () => Promise.reject(cause) }).append(three));
    expect(await failure).toMatchObject({ message: 'The headers could not be had.', cause });
  });

  test('refuses options that make no sense, and does not quote its URL', () => {
    const options = { url: 'ftp://host/?token=secret', headers: { a: 1 }, timeoutMs: 0, maxBatchBytes: 0 };
    expect(() => httpSink(options as never)).toThrow(
      'url: must be an absolute URL of http: or https:; headers: must be an object of strings, or a function; timeoutMs:',
    );
    expect(() => httpSink(options as never)).not.toThrow('secret');
    expect(() => httpSink({} as never)).toThrow('url: is required');
  });
});
