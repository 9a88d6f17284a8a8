import type { HandshakeRequest, ServerSocket, SocketEvents } from '../server/index.ts';
import type { Chance } from './chance.ts';
import type { ClientEnd, ClientSocket } from './client-socket.ts';
import type { SimulatedClock } from './clock.ts';
import type { SimulatedDevice } from './device.ts';
import type { History } from './history.ts';
import type { Data, Parcel } from './parcel.ts';
import { Pipe, type Pace } from './pipe.ts';

/** Where sockets arrive. */
export interface Host {
  readonly name: string;
  readonly isUp: boolean;
  /** Which of the subprotocols that a client offers it speaks; '' for none. */
  readonly protocol: string;
  /** Whether it refuses the handshake of a client that does not offer that. @default false */
  readonly isStrict?: boolean;
  /** A socket is open. @returns What hears of it. */
  accept(socket: ServerSocket, request: HandshakeRequest): SocketEvents;
}

/** How a connection is cut. Times in ms; `null`: that end does not notice by itself. */
export interface Cut {
  /** Which part of what is on its way arrives, from 0 to 1. */
  arriving: number;
  /** How much later. */
  lateMs: number;
  clientNoticesMs: number | null;
  serverNoticesMs: number | null;
}

/** Sees, and may change, what travels. */
export interface Observer {
  /** The client sends. @returns What is sent in its place; `null` for nothing. */
  up(line: Line, data: Data): Data | null;
  /** The server sends; likewise. */
  down(line: Line, data: Data): Data | null;
  /** A frame is about to be handed to the server. @returns Called when that is done. */
  reaching(line: Line, data: Data): () => void;
  /** A frame is about to be handed to the client. */
  arriving(line: Line, data: Data): void;
}

/** Frames at whose sending the connection may be lost. */
export type Occasion = 'srv' | 'hello' | 'welcome' | 'ack' | 'close';

/** What a connection is part of. */
export interface Surroundings {
  readonly clock: SimulatedClock;
  readonly chance: Chance;
  readonly device: SimulatedDevice;
  readonly history: History;
  readonly observer: Observer;
  readonly pace: Pace;
  readonly lines: readonly Line[];
  /** Whether a connection is to be lost at the next frame of this kind. */
  strikes(occasion: Occasion): boolean;
  /** Whether this is that frame. */
  meets(occasion: Occasion, data: Data): boolean;
  /** Loses the connection now; `isLate`: what is on its way arrives all the same, some time later. */
  ambush(line: Line, isLate?: boolean): void;
  /** Whether a frame vanishes on its way. */
  swallows(line: Line, data: Data): boolean;
}

/** One TCP connection with a WebSocket on it: two ends, and a pipe in each direction. */
export class Line implements ClientEnd {
  readonly number: number;
  readonly client: ClientSocket;
  readonly up: Pipe;
  readonly down: Pipe;
  readonly host: Host;
  readonly network: Surroundings;
  isCut = false;
  /** The session that was seen to be welcomed on it, for whoever looks on. */
  sid: string | undefined;
  readonly #silent = new Set<'up' | 'down'>();
  readonly #serverEnd: ServerSocket;
  #server: SocketEvents | undefined;
  #isServerGone = false;
  #isServerClosing = false;

  constructor(network: Surroundings, client: ClientSocket, host: Host) {
    this.number = network.lines.length + 1;
    this.network = network;
    this.client = client;
    this.host = host;
    const { clock, chance } = network;
    const pace = (): Pace => network.pace;
    this.up = new Pipe({ clock, chance, pace, deliver: (parcel) => this.#reachServer(parcel) });
    this.down = new Pipe({ clock, chance, pace, deliver: (parcel) => this.#reachClient(parcel) });
    this.#serverEnd = this.#serverSocket();
  }

  get name(): string {
    return `#${this.number} ${this.host.name}`;
  }

  /** Whether anybody may still say anything on it. */
  get isLive(): boolean {
    return !this.isCut && !this.#isServerGone && this.client.isLive;
  }

  /** Whether the server listens to it. */
  get isHeard(): boolean {
    return !this.#isServerGone && !this.#isServerClosing;
  }

  /** Whether something gets lost on it, and the client has not been told. */
  get isDead(): boolean {
    return this.isCut || this.#silent.size > 0;
  }

  /** Whether the client hears nothing any more, and nobody has told it. */
  get isDeaf(): boolean {
    return this.isCut || this.#silent.has('down');
  }

  get bufferedBytes(): number {
    return this.up.bufferedBytes;
  }

  /** What the client's end puts on the way. */
  send(parcel: Parcel): void {
    const { network } = this;
    if (parcel.kind !== 'data') {
      if (parcel.kind === 'close' && network.strikes('close')) return network.ambush(this);
      this.up.send(parcel);
      return;
    }
    const data = network.observer.up(this, parcel.data);
    if (data === null) return;
    if (network.meets('hello', data)) {
      // it may also come when its client is somewhere else already
      const isLate = network.chance.happens(0.5);
      if (isLate) this.up.send({ kind: 'data', data });
      return network.ambush(this, isLate);
    }
    if (network.meets('ack', data)) return network.ambush(this);
    if (network.swallows(this, data)) return;
    this.up.send({ kind: 'data', data });
  }

  /** Nothing gets through before this time, in epoch ms; 0: at once again. A direction that is not named goes on. */
  stall(until: number, directions: readonly ('up' | 'down')[] = ['up', 'down']): void {
    // without a network it stalls for as long as that
    const end = this.network.device.isOnline ? until : Infinity;
    for (const direction of directions) if (!this.#silent.has(direction)) this[direction].stallUntil(end);
  }

  /** From now on nothing gets through, and neither end is told: half open, as a connection is that a router forgot. */
  silence(directions: readonly ('up' | 'down')[] = ['up', 'down']): void {
    this.network.history.note(`${this.name} lets nothing through any more (${directions.join(' and ')})`);
    this.stall(Infinity, directions);
    for (const direction of directions) this.#silent.add(direction);
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
    if (clientNoticesMs !== null)
      clock.setTimeout(() => {
        this.tell(() => {
          this.client.lose();
        });
      }, clientNoticesMs);
    if (serverNoticesMs !== null) clock.setTimeout(() => this.#serverLost(1006), serverNoticesMs);
  }

  /** Somebody on the server's side, such as a proxy, closes the socket. */
  dismiss(code: number, reason: string): void {
    this.#serverEnd.close(code, reason);
    this.#serverLost(code);
  }

  /** The host is gone, and with it this end; `clientNoticesMs` as for a cut. */
  abandon(clientNoticesMs: number | null): void {
    this.#isServerGone = true;
    this.up.drop();
    this.cut({ arriving: this.network.chance.draw(), lateMs: 0, clientNoticesMs, serverNoticesMs: null });
  }

  /** The client's end is no more. */
  drop(): void {
    this.down.drop();
  }

  /** Something happens at the client's end: now, or once its device goes on. */
  tell(deed: () => void): void {
    this.network.device.run(deed);
  }

  #reachServer(parcel: Parcel): void {
    if (this.#isServerGone) return;
    const { host } = this;
    if (!host.isUp) {
      this.down.send({ kind: 'reset' });
      this.#isServerGone = true;
      return;
    }
    if (parcel.kind === 'handshake') {
      const { protocols, url } = this.client;
      if (host.isStrict && !protocols.includes(host.protocol)) {
        this.down.send({ kind: 'reset' });
        this.#isServerGone = true;
        return;
      }
      this.down.send({ kind: 'opened', protocol: protocols.includes(host.protocol) ? host.protocol : '' });
      const { pathname, search, host: name } = new URL(url);
      const headers = { host: name, ...(protocols.length > 0 && { 'sec-websocket-protocol': protocols.join(', ') }) };
      this.#server = host.accept(this.#serverEnd, { url: pathname + search, headers });
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
    this.tell(() => {
      if (parcel.kind === 'data') this.network.observer.arriving(this, parcel.data);
      this.client.reached(parcel);
    });
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
        for (const type of ['srv', 'welcome', 'ack'] as const)
          if (network.meets(type, data)) return network.ambush(this);
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
