import type { WebSocketConstructor, WebSocketLike } from '../../src/transport/websocket.ts';

type Handler = ((event: never) => unknown) | null;
type Control = 'ping' | 'pong' | 'unexpected-response';
type Listener = (first?: unknown, second?: never) => void;

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/**
 * A WebSocket whose other side is the test: `opens`, `says`, `errs` and `ends` are what the peer and the platform do, every
 * other method is the standard's own and as strict as a browser's. Events are plain objects, as in React Native.
 */
export class FakeSocket implements WebSocketLike {
  readonly url: string;
  readonly protocols: readonly string[] | undefined;
  /** The subprotocol that the server selected; absent where a platform does not say. */
  protocol?: string;
  readyState = CONNECTING;
  binaryType = 'blob';
  bufferedAmount = 0;
  /** Whether the network takes nothing at present: what is sent stays in the buffer until it `drains`. */
  holds = false;
  onopen: Handler = null;
  onmessage: Handler = null;
  onerror: Handler = null;
  onclose: Handler = null;
  /** What was handed over, in order. */
  readonly sent: (string | Uint8Array<ArrayBuffer>)[] = [];
  /** The arguments of every call of `close`. */
  readonly closeCalls: { code: number | undefined; reason: string | undefined }[] = [];
  /** Thrown by `send`, when set. */
  sendError: Error | undefined;

  constructor(url: string, protocols?: string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  /** Neither ended nor told to end. */
  get isLive(): boolean {
    return this.readyState < CLOSING;
  }

  /** How many event handlers are attached. */
  get listenersLeft(): number {
    return [this.onopen, this.onmessage, this.onerror, this.onclose].filter(Boolean).length;
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.sendError) throw this.sendError;
    if (this.readyState === CONNECTING) throw new DOMException('Still in CONNECTING state.', 'InvalidStateError');
    // a socket that is closing drops what it is given, and says nothing
    if (this.readyState !== OPEN) return;
    this.sent.push(data);
    if (this.holds) this.bufferedAmount += typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
  }

  close(code?: number, reason?: string): void {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999))
      throw new DOMException(`${code} is no code for close().`, 'InvalidAccessError');
    if (new TextEncoder().encode(reason).byteLength > 123) throw new DOMException('Too long a reason.', 'SyntaxError');
    this.closeCalls.push({ code, reason });
    if (this.isLive) this.readyState = CLOSING;
  }

  /** The network takes what is in the buffer, or so many bytes of it. */
  drains(bytes = this.bufferedAmount): void {
    this.bufferedAmount = Math.max(0, this.bufferedAmount - bytes);
  }

  opens(): void {
    // one that was told to close may still open: it was late, or frozen
    if (this.readyState === OPEN || this.readyState === CLOSED) return;
    this.readyState = OPEN;
    this.#fire(this.onopen, {});
  }

  says(data: unknown): void {
    this.#fire(this.onmessage, { data });
  }

  errs(message?: string): void {
    this.#fire(this.onerror, message === undefined ? {} : { message });
  }

  ends(code = 1006, reason = '', wasClean = code !== 1006): void {
    this.readyState = CLOSED;
    this.#fire(this.onclose, { code, reason, wasClean });
  }

  #fire(handler: Handler, event: object): void {
    handler?.call(this, event as never);
  }
}

/** The same with what `ws` adds: protocol pings and their events, and an end without a handshake. */
export class FakeNodeSocket extends FakeSocket {
  override binaryType = 'nodebuffer';
  pings = 0;
  terminations = 0;
  /** The marks of the pings, in order. */
  readonly marks: (string | undefined)[] = [];
  readonly #listeners: { event: Control; listener: Listener }[] = [];

  override get listenersLeft(): number {
    return super.listenersLeft + this.#listeners.length;
  }

  ping(mark?: string): void {
    this.pings += 1;
    this.marks.push(mark);
  }

  terminate(): void {
    this.terminations += 1;
    if (this.isLive) this.readyState = CLOSING;
  }

  on(event: Control, listener: Listener): this {
    this.#listeners.push({ event, listener });
    return this;
  }

  off(event: Control, listener: Listener): this {
    const index = this.#listeners.findIndex((entry) => entry.event === event && entry.listener === listener);
    if (index >= 0) this.#listeners.splice(index, 1);
    return this;
  }

  /** The server answers the handshake with this status. */
  refuses(statusCode: number, retryAfter?: string): void {
    const response = { statusCode, headers: { 'retry-after': retryAfter } } as never;
    for (const { event, listener } of [...this.#listeners]) if (event === 'unexpected-response') listener({}, response);
  }

  /** A control frame arrives; a pong with the mark of the last ping, unless another is said. */
  controls(event: Control, mark = this.marks.at(-1)): void {
    const data = event === 'pong' ? [Buffer.from(mark ?? '')] : [];
    for (const entry of [...this.#listeners]) if (entry.event === event) entry.listener(...data);
  }
}

/** A WebSocket class, and every socket that was made of it, oldest first. */
export class FakeSockets<Socket extends FakeSocket = FakeSocket> {
  readonly all: Socket[] = [];
  /** Hand this to the service. */
  readonly WebSocket: WebSocketConstructor;
  /** Thrown by the constructor, when set; counts as a construction, and makes no socket. */
  constructorError: Error | undefined;
  /** Calls of the constructor, those that threw included. */
  constructions = 0;

  constructor(Kind: new (url: string, protocols?: string[]) => Socket) {
    const make = (url: string, protocols?: string[]): Socket => this.#make(new Kind(url, protocols));
    this.WebSocket = function WebSocket(url: string, protocols?: string[]) {
      return make(url, protocols);
    } as unknown as WebSocketConstructor;
  }

  /** The newest. */
  get last(): Socket {
    const last = this.all.at(-1);
    if (!last) throw new Error('No socket was made.');
    return last;
  }

  get live(): Socket[] {
    return this.all.filter((socket) => socket.isLive);
  }

  /** How many event handlers are attached, over all sockets. */
  get listenersLeft(): number {
    return this.all.reduce((sum, socket) => sum + socket.listenersLeft, 0);
  }

  /** Lets every socket that was told to close do so, as a platform does sooner or later. */
  finish(): void {
    for (const socket of this.all) if (socket.readyState === CLOSING) socket.ends();
  }

  #make(socket: Socket): Socket {
    this.constructions += 1;
    if (this.constructorError) throw this.constructorError;
    this.all.push(socket);
    return socket;
  }
}

/** Sockets as a browser has them. */
export function browserSockets(): FakeSockets {
  return new FakeSockets(FakeSocket);
}

/** Sockets as `ws` has them. */
export function nodeSockets(): FakeSockets<FakeNodeSocket> {
  return new FakeSockets(FakeNodeSocket);
}
