import { writeText } from '../../src/protocol/text-frames.ts';
import type { HandshakeRequest, ServerSocket, SocketEvents } from '../../src/server/socket.ts';
import type { WebSocketConstructor } from '../../src/transport/websocket.ts';
import type { SimulatedClock } from '../support/clock.ts';
import type { Chance } from './chance.ts';
import { ClientSocket } from './client-socket.ts';
import type { History } from './history.ts';
import { Pipe } from './pipe.ts';

export type Data = string | Uint8Array<ArrayBuffer>;
/** What travels in one direction of a connection. */
export type Parcel =
  | { kind: 'handshake' }
  | { kind: 'opened' }
  | { kind: 'data'; data: Data }
  | { kind: 'close'; code: number; reason: string }
  | { kind: 'reset' };

/** Where sockets arrive. */
export interface Host {
  readonly name: string;
  readonly isUp: boolean;
  accept(socket: ServerSocket, request: HandshakeRequest): SocketEvents;
}

/** Sees, and may change, what travels. */
export interface Observer {
  /** The client sends. @returns What is sent in its place; `null` for nothing. */
  up(line: Line, data: Data): Data | null;
  down(line: Line, data: Data): Data | null;
  /** A frame is about to be handed to the server. @returns Called when that is done. */
  reaching(line: Line, data: Data): () => void;
  /** A frame is about to be handed to the client. */
  arriving(line: Line, data: Data): void;
}

/** How a connection is cut. Times in ms; `null`: that end does not notice by itself. */
export interface Cut {
  /** Which part of what is on its way arrives. */
  arriving: number;
  /** How much later. */
  lateMs: number;
  clientNoticesMs: number | null;
  serverNoticesMs: number | null;
}

const CONNECTING_LATENCY_MS = 5;

/** One TCP connection with a WebSocket on it: two ends, and a pipe in each direction. */
export class Line {
  readonly number: number;
  readonly client: ClientSocket;
  readonly up: Pipe;
  readonly down: Pipe;
  readonly host: Host;
  readonly network: Network;
  isCut = false;
  /** The session that the server welcomed on it. */
  sid: string | undefined;
  gen = 0;
  #server: SocketEvents | undefined;
  #isServerGone = false;
  #isServerClosing = false;

  constructor(network: Network, client: ClientSocket, host: Host) {
    this.number = network.lines.length + 1;
    this.network = network;
    this.client = client;
    this.host = host;
    const { clock, chance } = network;
    this.up = new Pipe({ clock, chance, pace: network.pace, deliver: (parcel) => this.#reachServer(parcel) });
    this.down = new Pipe({ clock, chance, pace: network.pace, deliver: (parcel) => this.#reachClient(parcel) });
  }

  get name(): string {
    return `#${this.number} ${this.host.name}`;
  }

  /** Whether anybody may still say anything on it. */
  get isLive(): boolean {
    return !this.isCut && !this.#isServerGone && this.client.readyState < 2;
  }

  /** Whether the server listens to it. */
  get isHeard(): boolean {
    return !this.#isServerGone && !this.#isServerClosing;
  }

  /** What the client's end puts on the way. */
  send(parcel: Parcel): void {
    if (parcel.kind !== 'data') {
      if (parcel.kind === 'close' && this.network.strikes('close')) return this.network.ambush(this);
      this.up.send(parcel);
      return;
    }
    const data = this.network.observer.up(this, parcel.data);
    if (data === null) return;
    if (this.network.strikes('hello') && isType(data, 'hello')) {
      // it may also come when its client is somewhere else already
      const isLate = this.network.chance.happens(0.5);
      if (isLate) this.up.send({ kind: 'data', data });
      return this.network.ambush(this, isLate);
    }
    if (this.network.swallows(this, data)) return;
    this.up.send({ kind: 'data', data });
  }

  /** The client asks for a channel to be held back, or to go on; a client as ours never does. */
  hold(channel: string, isHeld: boolean): void {
    const data = writeText({ t: 'flow', w: isHeld ? { m: 0, b: 0 } : { m: 256, b: 65_536 }, c: channel });
    this.network.history.note(`${this.name} → ${data}`);
    this.up.send({ kind: 'data', data });
  }

  cut({ arriving, lateMs, clientNoticesMs, serverNoticesMs }: Cut): void {
    if (this.isCut) return;
    this.isCut = true;
    this.up.cut(arriving, lateMs);
    this.down.cut(arriving, lateMs);
    const { clock, history } = this.network;
    history.note(
      `${this.name} is cut; the client notices in ${String(clientNoticesMs)}, the server in ${String(serverNoticesMs)}`,
    );
    if (clientNoticesMs !== null) clock.setTimeout(() => this.client.lose(), clientNoticesMs);
    if (serverNoticesMs !== null) clock.setTimeout(() => this.#serverLost(1006), serverNoticesMs);
  }

  /** The host is gone, and with it this end; `clientNoticesMs` as for a cut. */
  abandon(clientNoticesMs: number | null): void {
    this.#isServerGone = true;
    this.up.drop();
    this.cut({ arriving: this.network.chance.draw(), lateMs: 0, clientNoticesMs, serverNoticesMs: null });
  }

  #reachServer(parcel: Parcel): void {
    if (this.#isServerGone) return;
    if (!this.host.isUp) {
      this.down.send({ kind: 'reset' });
      this.#isServerGone = true;
      return;
    }
    if (parcel.kind === 'handshake') {
      this.down.send({ kind: 'opened' });
      this.#server = this.host.accept(this.#serverSocket(), { url: '/', headers: {} });
    } else if (parcel.kind === 'data') {
      const reached = this.network.observer.reaching(this, parcel.data);
      this.#server?.received(typeof parcel.data === 'string' ? parcel.data : parcel.data.slice().buffer);
      reached();
    } else if (parcel.kind === 'close') {
      if (!this.#isServerClosing) this.down.send(parcel);
      this.#serverLost(parcel.code);
    } else this.#serverLost(1006);
  }

  #reachClient(parcel: Parcel): void {
    if (parcel.kind === 'data') this.network.observer.arriving(this, parcel.data);
    this.client.reached(parcel);
  }

  #serverSocket(): ServerSocket {
    const { down, network } = this;
    const isOver = (): boolean => this.#isServerGone || this.#isServerClosing;
    return {
      get bufferedBytes() {
        return down.bufferedBytes;
      },
      send: (sent) => {
        if (isOver()) return;
        const data = network.observer.down(this, sent);
        if (data === null) return;
        for (const type of ['srv', 'welcome'] as const)
          if (isType(data, type) && network.strikes(type)) return network.ambush(this);
        if (network.swallows(this, data)) return;
        down.send({ kind: 'data', data });
      },
      batch: (write) => {
        write();
      },
      close: (code, reason) => {
        if (isOver()) return;
        network.history.note(`${this.name} ← close ${code} ${reason}`);
        this.#isServerClosing = true;
        if (network.strikes('close')) network.ambush(this);
        else down.send({ kind: 'close', code, reason });
      },
      terminate: () => {
        if (this.#isServerGone) return;
        down.send({ kind: 'reset' });
        network.clock.setTimeout(() => this.#serverLost(1006), 0);
      },
    };
  }

  #serverLost(code: number): void {
    if (this.#isServerGone) return;
    this.#isServerGone = true;
    this.up.drop();
    this.network.history.note(`${this.name} is gone for the server: ${code}`);
    if (this.host.isUp) this.#server?.closed(code, '');
  }
}

export interface NetworkOptions {
  clock: SimulatedClock;
  chance: Chance;
  history: History;
  observer: Observer;
  /** Where a dial goes. */
  host: () => Host;
}

/** Frames at whose sending the connection may be lost. */
export type Occasion = 'srv' | 'hello' | 'welcome' | 'close';

/** Every connection of a run. It has TCP's truth: ordered and lossless, until it is cut. */
export class Network {
  readonly clock: SimulatedClock;
  readonly chance: Chance;
  readonly history: History;
  readonly observer: Observer;
  readonly lines: Line[] = [];
  readonly sockets: ClientSocket[] = [];
  readonly WebSocket: WebSocketConstructor;
  /** Ms from one end to the other. */
  pace = { least: 1, most: 5 };
  /** How likely a handshake is refused. */
  refusals = 0;
  /** How likely a batch vanishes, as no TCP does, but many a proxy. */
  losses = 0;
  readonly #host: () => Host;
  #occasion: Occasion | undefined;
  readonly #holed = new Set<Line>();

  constructor(options: NetworkOptions) {
    this.clock = options.clock;
    this.chance = options.chance;
    this.history = options.history;
    this.observer = options.observer;
    this.#host = options.host;
    const dial = (socket: ClientSocket): Line | null => this.#dial(socket);
    const { clock, sockets } = this;
    this.WebSocket = function WebSocket() {
      const socket = new ClientSocket(clock);
      sockets.push(socket);
      socket.line = dial(socket);
      return socket;
    } as unknown as WebSocketConstructor;
  }

  get live(): Line[] {
    return this.lines.filter((line) => line.isLive);
  }

  /** The next frame of this kind is lost, and its connection with it. */
  lieInWait(occasion: Occasion): void {
    this.#occasion = occasion;
  }

  strikes(occasion: Occasion): boolean {
    return this.#occasion === occasion;
  }

  ambush(line: Line, isLate = false): void {
    this.history.note(`${line.name} ${isLate ? 'delays' : 'loses'} its ${String(this.#occasion)}`);
    this.#occasion = undefined;
    if (!isLate) return line.cut(this.cutting());
    const { chance } = this;
    const soon = { arriving: 1, clientNoticesMs: chance.between(0, 30), serverNoticesMs: null };
    line.cut({ ...soon, lateMs: chance.between(50, 2_000) });
  }

  /** A cut by chance: often noticed soon by both, sometimes late, or by one of them not at all. */
  cutting(): Cut {
    const { chance } = this;
    const notice = (): number | null => {
      if (chance.happens(0.6)) return chance.between(0, 30);
      return chance.happens(0.6) ? chance.between(30, 3_000) : null;
    };
    return {
      arriving: chance.pick([0, 1, chance.draw()]),
      lateMs: chance.happens(0.3) ? chance.between(0, 2_000) : 0,
      clientNoticesMs: notice(),
      serverNoticesMs: notice(),
    };
  }

  /** Whether a batch vanishes on its way. */
  swallows(line: Line, data: Data): boolean {
    const isBatch = typeof data !== 'string' || /^\d/.test(data) || isType(data, 'm');
    if (!isBatch || this.losses === 0 || !this.chance.happens(this.losses)) return false;
    this.#holed.add(line);
    this.history.note(`${line.name} loses a batch on its way`);
    return true;
  }

  /** From now on nothing goes wrong. What has lost something is cut: nobody else would ever notice. */
  calm(): void {
    this.#occasion = undefined;
    this.refusals = this.losses = 0;
    for (const line of this.#holed) line.cut({ arriving: 0, lateMs: 0, clientNoticesMs: 1, serverNoticesMs: 1 });
    for (const { up, down } of this.lines) {
      up.stallUntil(0);
      down.stallUntil(0);
    }
  }

  #dial(socket: ClientSocket): Line | null {
    const host = this.#host();
    if (!host.isUp || this.chance.happens(this.refusals)) {
      this.history.note(`a dial to ${host.name} is refused`);
      this.clock.setTimeout(() => socket.lose(), CONNECTING_LATENCY_MS);
      return null;
    }
    const line = new Line(this, socket, host);
    this.lines.push(line);
    this.history.note(`${line.name} is dialled`);
    line.up.send({ kind: 'handshake' });
    return line;
  }
}

function isType(data: Data, type: string): boolean {
  return typeof data === 'string' && data.startsWith(`{"t":"${type}"`);
}
