import * as rules from '../../core/rules.ts';
import { retryAfterMs } from '../../core/retry-after.ts';
import { AuditError, type ErrorDetails } from '../../errors.ts';
import { systemClock, type Clock } from '../../transport/clock.ts';
import type { AuditSink } from '../sink.ts';
import { closedError, headOf } from './stored.ts';

type Fields = Readonly<Record<string, string>>;

export interface HttpSinkOptions {
  /** Where lines are posted to: an absolute `http:` or `https:` URL. Redirects are not followed. */
  url: string;
  /** @default 'http' */
  name?: string;
  /** Headers of every request; a function is asked before each, for a token that is fresh. What it throws is the `cause` of an error. @default {} */
  headers?: Fields | (() => Fields | Promise<Fields>);
  /** @default the platform's */
  fetch?: typeof globalThis.fetch;
  /** How long a request may take, its headers included, in ms. @default 10_000 */
  timeoutMs?: number;
  /** Bytes of one request, beyond which a batch is split; a longer line goes alone. @default 262_144 */
  maxBatchBytes?: number;
  /** @default the platform's */
  clock?: Clock;
}

const isUrl = (value: unknown): boolean =>
  rules.isText(value) && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);

const rule = rules.object({
  url: rules.required(rules.must('an absolute URL of http: or https:', isUrl)),
  name: rules.text,
  headers: rules.must(
    'an object of strings, or a function',
    (value) => rules.isFunction(value) || (rules.isObject(value) && Object.values(value).every(rules.isText)),
  ),
  fetch: rules.callback,
  timeoutMs: rules.duration(1),
  maxBatchBytes: rules.positive,
  clock: rules.clock,
});

const IDENTIFIER = /^\w{1,64}$/;

/**
 * Posts lines as NDJSON to a server, in order, one request at a time. Any status of 2xx says that they are stored; everything else rejects with an
 * {@link AuditError} that has the status and what `Retry-After` asked for, and nothing of the URL or the headers. A request that is repeated has the same lines and
 * the same `Idempotency-Key`, made of the hashes of its first and last line, so that the server can drop what it has. Its log begins anew with every run.
 *
 * @throws {ConfigurationError} `INVALID_OPTIONS`
 */
export function httpSink(options: HttpSinkOptions): AuditSink {
  rules.check(rule, options);
  return new HttpSink(options);
}

class HttpSink implements AuditSink {
  readonly name: string;
  readonly #options: Required<HttpSinkOptions>;
  // the last line that is stored of a batch that is not, and the last of the request that failed: whether that is stored is not known
  #stored: string | undefined;
  #unanswered: string | undefined;
  #abort: (() => void) | undefined;
  #isClosed = false;

  constructor(options: HttpSinkOptions) {
    this.#options = {
      name: 'http',
      headers: {},
      fetch: globalThis.fetch,
      timeoutMs: 10_000,
      maxBatchBytes: 262_144,
      clock: systemClock(),
      ...options,
    };
    this.name = this.#options.name;
  }

  async append(lines: readonly string[]): Promise<void> {
    const stored = after(lines, this.#stored);
    const unanswered = Math.max(stored, after(lines, this.#unanswered));
    const { maxBatchBytes } = this.#options;
    const parts = [
      ...split(lines.slice(stored, unanswered), maxBatchBytes),
      ...split(lines.slice(unanswered), maxBatchBytes),
    ];
    for (const part of parts) {
      this.#unanswered = part.at(-1);
      await this.#post(part);
      this.#stored = part.at(-1);
    }
    this.#stored = undefined;
    this.#unanswered = undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.#abort?.();
  }

  async #post(lines: readonly string[]): Promise<void> {
    if (this.#isClosed) throw closedError(this.name);
    const { clock, timeoutMs } = this.#options;
    const controller = new AbortController();
    let timer: unknown;
    // not every fetch heeds a signal, and no function that makes headers does
    const ended = new Promise<never>((_, reject) => {
      const end = (error: AuditError): void => {
        reject(error);
        controller.abort();
      };
      this.#abort = () => end(closedError(this.name));
      timer = clock.setTimeout(() => end(this.#failed(`The server did not answer in ${timeoutMs} ms.`)), timeoutMs);
    });
    try {
      await Promise.race([this.#request(lines, controller.signal), ended]);
    } finally {
      clock.clearTimeout(timer);
      this.#abort = undefined;
    }
  }

  async #request(lines: readonly string[], signal: AbortSignal): Promise<void> {
    const { url, fetch, clock } = this.#options;
    const headers = await this.#headers();
    if (signal.aborted) return;
    let response: Response;
    try {
      response = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/x-ndjson', 'idempotency-key': keyOf(lines) },
        body: `${lines.join('\n')}\n`,
        // a redirect may turn into a GET, which stores nothing, and takes headers to where they do not belong
        redirect: 'manual',
        signal,
      });
      // whoever reads none of it keeps the socket
      await response.body?.cancel();
    } catch (cause) {
      // what a platform says may quote the URL or a header
      throw this.#failed(`The request failed: ${kindOf(cause)}.`);
    }
    if (response.ok) return;
    const asked = response.headers.get('retry-after');
    throw this.#failed(`The server answered ${response.status}.`, {
      httpStatus: response.status,
      ...(asked !== null && { retryAfterMs: retryAfterMs(asked, clock.now()) }),
    });
  }

  async #headers(): Promise<Fields> {
    const { headers } = this.#options;
    if (typeof headers !== 'function') return headers;
    try {
      return await headers();
    } catch (cause) {
      throw this.#failed('The headers could not be had.', { cause });
    }
  }

  #failed(message: string, details: ErrorDetails & { httpStatus?: number } = {}): AuditError {
    return new AuditError('AUDIT_SINK_FAILED', { sink: this.name, message, ...details });
  }
}

// how many lines there are up to this one
function after(lines: readonly string[], line: string | undefined): number {
  return line === undefined ? 0 : lines.indexOf(line) + 1;
}

function split(lines: readonly string[], maxBytes: number): string[][] {
  const parts: string[][] = [];
  const encoder = new TextEncoder();
  let room = 0;
  for (const line of lines) {
    const bytes = encoder.encode(line).length + 1;
    if (bytes > room) {
      parts.push([]);
      room = maxBytes;
    }
    room -= bytes;
    parts.at(-1)?.push(line);
  }
  return parts;
}

function keyOf(lines: readonly string[]): string {
  return [lines[0], lines.at(-1)].map((line = '') => headOf(line).hash).join('-');
}

function kindOf(cause: unknown): string {
  const { name, code, cause: inner } = Object(cause) as { name?: unknown; code?: unknown; cause?: { code?: unknown } };
  const isKind = (kind: unknown): kind is string => rules.isText(kind) && IDENTIFIER.test(kind);
  return [code, inner?.code, name].find(isKind) ?? 'an unknown error';
}
