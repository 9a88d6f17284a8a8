import { retryAfterMs } from '../core/retry-after.ts';
import { clampCloseReason, CloseCode, isSendableCloseCode } from '../protocol/close-codes.ts';
import type { Clock } from './clock.ts';
import type { Address, FrameData, Transport, TransportEnd, TransportListener, WireData } from './transport.ts';

/** The part of the standard `WebSocket` that is used, and what `ws` adds to it. */
export interface WebSocketLike {
  readonly readyState: number;
  readonly bufferedAmount?: number;
  readonly extensions?: string;
  readonly protocol?: string;
  binaryType: string;
  onopen: ((event: never) => unknown) | null;
  onmessage: ((event: never) => unknown) | null;
  onerror: ((event: never) => unknown) | null;
  onclose: ((event: never) => unknown) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  /** `ws` only: sends a protocol ping. */
  ping?(data?: string): void;
  /** `ws` only: ends the socket without a closing handshake. */
  terminate?(): void;
  /** `ws` only, and not of its public face: the stream underneath. Without it every frame is a write of its own. */
  readonly _socket?: { cork(): void; uncork(): void } | null;
  /** `ws` only. */
  readonly on?: WsListening;
  /** `ws` only. */
  readonly off?: WsListening;
}

interface WsListening {
  (event: 'ping', listener: () => void): unknown;
  (event: 'pong', listener: (data?: unknown) => void): unknown;
  (event: 'unexpected-response', listener: (request: unknown, response: RefusedHandshake) => void): unknown;
}

/** An answer to the handshake that is no upgrade, as `ws` shows it. */
interface RefusedHandshake {
  statusCode?: number | undefined;
  headers: { 'retry-after'?: string | undefined };
}

/** Any class that behaves as the standard `WebSocket`: the browser's, Node's own, or that of `ws`. */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike;

export interface WebSocketOptions {
  WebSocket: WebSocketConstructor;
  clock: Clock;
  /** Hears of data that the socket took. */
  sent?: (data: WireData) => void;
}

const NO_BLOBS = 'the WebSocket hands out bytes in a form that was not asked for';
// the standard's numbers for a socket that takes data, and for one that is gone
const OPEN = 1;
const CLOSED = 3;
// a socket that reports an error and then never a close is given up after this time
const CLOSE_AFTER_ERROR_MS = 1_000;

/**
 * Opens a WebSocket and reports what becomes of it.
 *
 * @throws Whatever the constructor throws, a `SyntaxError` for a bad URL or subprotocol; or what setting the socket up throws,
 *   and then the socket is ended.
 */
export function openWebSocket(
  { url, protocols }: Address,
  listener: TransportListener,
  { WebSocket, clock, sent }: WebSocketOptions,
): Transport {
  // some implementations take an empty list for "offer the empty protocol"
  const socket = protocols.length > 0 ? new WebSocket(url, [...protocols]) : new WebSocket(url);
  // a broken one cannot be read, and is about to be given up
  let condition: 'sound' | 'broken' | 'over' = 'sound';
  let closedByUs = false;
  let detail: string | null = null;
  let errorTimer: unknown;

  const heard = (): void => {
    listener.heard();
  };
  // the bytes of the ping that it answers
  const ponged = (data?: unknown): void => {
    listener.heard(String(data));
  };
  const refused = (_request: unknown, { statusCode, headers }: RefusedHandshake): void => {
    giveUp(CloseCode.abnormal, {
      detail: `the server answered with ${statusCode ?? 'nothing'}`,
      ...(statusCode !== undefined && { status: statusCode }),
      retryAfterMs: retryAfterMs(headers['retry-after'], clock.now()),
    });
  };

  function letGo(): void {
    if (condition === 'over') return;
    condition = 'over';
    clock.clearTimeout(errorTimer);
    socket.onmessage = null;
    // an abandoned socket may still open, and `ws` throws an error that nobody listens to: both are caught until it is gone
    socket.onopen = () => {
      end(socket);
    };
    socket.onerror = ignore;
    socket.onclose = () => {
      socket.onopen = socket.onerror = socket.onclose = null;
    };
    socket.off?.('ping', heard);
    socket.off?.('pong', ponged);
    socket.off?.('unexpected-response', refused);
  }

  function finish(ended: TransportEnd): void {
    letGo();
    listener.ended(ended);
  }

  function giveUp(code: number, why: Pick<TransportEnd, 'detail' | 'status' | 'retryAfterMs'>): void {
    finish({ code, reason: '', wasClean: false, initiator: 'network', ...why });
    end(socket);
  }

  // whoever asks is in the middle of something that a throw would tear apart, as an end would
  function read<Name extends keyof WebSocketLike>(name: Name, otherwise: WebSocketLike[Name]): WebSocketLike[Name] {
    try {
      return socket[name];
    } catch {
      unreadable(name);
      return otherwise;
    }
  }

  function unreadable(name: string): void {
    if (condition !== 'sound') return;
    condition = 'broken';
    queueMicrotask(() => {
      if (condition === 'broken') giveUp(CloseCode.abnormal, { detail: `the ${name} of the WebSocket cannot be read` });
    });
  }

  try {
    // `ws` begins with views of what it has read, and would have to copy each frame for an ArrayBuffer
    const isView = socket.on !== undefined && socket.binaryType === 'nodebuffer';
    if (!isView) socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      listener.opened();
    };
    socket.onmessage = (event: { data: unknown }) => {
      const data = inbound(event.data, isView);
      if (data === null) giveUp(CloseCode.unsupportedData, { detail: NO_BLOBS });
      else listener.received(data);
    };
    socket.onerror = (event: { message?: unknown }) => {
      if (typeof event.message === 'string') detail = event.message;
      errorTimer ??= clock.setTimeout(() => {
        giveUp(CloseCode.abnormal, { detail });
      }, CLOSE_AFTER_ERROR_MS);
    };
    socket.onclose = ({ code, reason, wasClean }: { code: number; reason: string; wasClean: boolean }) => {
      const withoutFrame = code === CloseCode.abnormal || code === CloseCode.tlsHandshake;
      const initiator = closedByUs ? 'local' : withoutFrame ? 'network' : 'peer';
      finish({ code, reason, wasClean, initiator, detail });
      socket.onopen = socket.onerror = socket.onclose = null;
    };
    socket.on?.('ping', heard);
    socket.on?.('pong', ponged);
    socket.on?.('unexpected-response', refused);
  } catch (cause) {
    // a socket that cannot be listened to must not stay open unseen
    letGo();
    end(socket);
    throw cause;
  }

  return {
    send(data) {
      socket.send(data);
      sent?.(data);
    },
    get protocol() {
      return read('protocol', undefined);
    },
    get isOpen() {
      return read('readyState', CLOSED) === OPEN;
    },
    get bufferedBytes() {
      // what cannot be seen to have left may be in there still
      const bufferedAmount = read('bufferedAmount', Infinity) ?? 0;
      return bufferedAmount > 0 ? bufferedAmount : 0;
    },
    get isCompressing() {
      return (read('extensions', 'unknown') ?? '') !== '';
    },
    batch(write) {
      // the stream under `ws`; what is corked leaves as one vectored write
      const stream = read('_socket', null);
      if (typeof stream?.cork !== 'function') {
        write();
        return;
      }
      stream.cork();
      try {
        write();
      } finally {
        stream.uncork();
      }
    },
    ping: typeof read('ping', undefined) === 'function' ? (mark) => socket.ping?.(mark) : null,
    close(code, reason) {
      closedByUs = true;
      if (isSendableCloseCode(code)) socket.close(code, clampCloseReason(reason));
      else socket.close();
    },
    dispose() {
      letGo();
      end(socket);
    },
  };
}

function end(socket: WebSocketLike): void {
  try {
    if (socket.terminate) socket.terminate();
    else socket.close();
  } catch {
    // a socket that cannot even be closed is beyond help, and nobody listens to it any more
  }
}

function inbound(data: unknown, isView: boolean): FrameData | null {
  if (typeof data === 'string' || data instanceof ArrayBuffer) return data;
  if (!ArrayBuffer.isView(data)) return null;
  // as nothing but bytes: Node's Buffer has ways of its own
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  // an implementation that ignores binaryType may write there again
  return isView ? bytes : bytes.slice().buffer;
}

function ignore(): void {}
