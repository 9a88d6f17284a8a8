import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ClientOptions, WebSocket } from 'ws';

import { TLS_ANSWER, type Answer } from './answer.ts';
import type { Tame } from './secrecy.ts';
import { Visit } from './visit.ts';
import { waitFor } from './waiting.ts';

/** The class of `ws`. */
export type WebSocketClass = typeof WebSocket;

/** What is asked for, and over which connection. */
export interface Wish {
  WebSocket: WebSocketClass;
  url: URL;
  /** Connected, and for `wss:` secured. It belongs to the handshake from now on. */
  stream: Socket;
  protocols: readonly string[];
  headers: readonly (readonly [name: string, value: string])[];
  origin: string | null;
  /** As whom the examination presents itself. */
  userAgent: string;
  tame: Tame;
  signal: AbortSignal;
}

type Outcome = Pick<Answer, 'outcome' | 'problem'>;

/** A larger message is not taken: the connection ends with 1009 before it is in memory. */
export const MAX_MESSAGE_BYTES = 1_048_576;

// the type of a TLS record that tells of an error. Source: RFC 8446, section 5.1
const TLS_ALERT = 0x15;

/** Asks for a WebSocket. Without one the connection is ended. */
export async function shakeHands(wish: Wish): Promise<{ answer: Answer; visit: Visit | null }> {
  const { WebSocket, url, stream, signal, tame } = wish;
  const startedAt = performance.now();
  const askedAt = Date.now();
  const socket = new WebSocket(url, clientOptions(wish));
  const visit = new Visit(socket, tame);
  const seen: Pick<Answer, 'status' | 'headers'> = { status: null, headers: {} };
  const answered = (response: IncomingMessage): void => {
    seen.status = response.statusCode ?? null;
    seen.headers = { ...response.headers };
    // `ws` ends a connection without a subprotocol that it has offered, and RFC 6455 does not: so it offers none by itself
    delete response.headers['sec-websocket-protocol'];
  };
  socket.on('upgrade', answered);
  socket.on('unexpected-response', (_request, response) => {
    answered(response);
  });
  const { outcome, problem } = (await outcomeOf(socket, signal)) ?? { outcome: 'silent', problem: null };
  const durationMs = performance.now() - startedAt;
  const answer: Answer = { outcome, ...seen, problem, durationMs, askedAt: askedAt + durationMs / 2 };
  if (outcome === 'open') return { answer, visit };
  await visit.leave();
  stream.destroy();
  return { answer, visit: null };
}

function clientOptions({ stream, protocols, headers, origin, userAgent }: Wish): ClientOptions {
  const given: Record<string, string[]> = {};
  for (const [name, value] of headers) (given[name] ??= []).push(value);
  return {
    createConnection: () => stream,
    headers: {
      ...(given as Record<string, never>),
      'User-Agent': userAgent,
      'X-Holdfast-Diagnostics': '1',
      ...(protocols.length > 0 && { 'Sec-WebSocket-Protocol': protocols.join(', ') }),
    },
    ...(origin !== null && { origin }),
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: true,
    followRedirects: false,
  };
}

function outcomeOf(socket: WebSocket, signal: AbortSignal): Promise<Outcome | null> {
  return waitFor<Outcome>(
    (report) => {
      const opened = (): void => {
        report({ outcome: 'open', problem: null });
      };
      const refused = (): void => {
        report({ outcome: 'refused', problem: null });
      };
      const broken = (error: Error & { rawPacket?: Buffer }): void => {
        const isTls = error.rawPacket?.[0] === TLS_ALERT;
        report({ outcome: 'broken', problem: isTls ? TLS_ANSWER : error.message });
      };
      socket.on('open', opened).on('unexpected-response', refused).on('error', broken);
      return () => socket.off('open', opened).off('unexpected-response', refused).off('error', broken);
    },
    { signal },
  );
}
