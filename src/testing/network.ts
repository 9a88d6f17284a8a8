import type { WebSocketConstructor } from '../index.ts';
import { Chance } from './chance.ts';
import { ClientSocket } from './client-socket.ts';
import type { SimulatedClock } from './clock.ts';
import { SimulatedDevice } from './device.ts';
import { History } from './history.ts';
import { Line, type Cut, type Host, type Observer, type Occasion, type Surroundings } from './line.ts';
import type { Data } from './parcel.ts';
import type { Pace } from './pipe.ts';

export interface SimulatedNetworkOptions {
  clock: SimulatedClock;
  /** Where a dial goes; asked for each. */
  host: () => Host;
  /** @default one of the seed 1 */
  chance?: Chance;
  /** What the client runs on. @default one of its own */
  device?: SimulatedDevice;
  /** Where it is written what happens. @default one that nobody reads */
  history?: History;
  /** @default one that changes nothing */
  observer?: Observer;
}

const CONNECTING_LATENCY_MS = 5;
const LONGEST_DIAL_MS = 20_000;

/** It changes nothing. */
export const blind: Observer = {
  up: (_, data) => data,
  down: (_, data) => data,
  reaching: () => () => undefined,
  arriving: () => undefined,
};

/**
 * Every connection of a client, with TCP's truth: ordered and lossless, until it is cut. Hand its `WebSocket` to the service; it reaches the hosts that it is given, whatever the URL says.
 */
export class SimulatedNetwork implements Surroundings {
  readonly clock: SimulatedClock;
  readonly chance: Chance;
  readonly device: SimulatedDevice;
  readonly history: History;
  readonly observer: Observer;
  /** Every connection, oldest first. */
  readonly lines: Line[] = [];
  /** Every socket that the client made, oldest first. */
  readonly sockets: ClientSocket[] = [];
  readonly WebSocket: WebSocketConstructor;
  /** From one end to the other. */
  pace: Pace = { least: 1, most: 5 };
  /** How likely a dial is refused, from 0 to 1. */
  refusals = 0;
  /** How likely the answer to a handshake takes up to 20 s. */
  slowHandshakes = 0;
  /** How likely a batch of `holdfast.v1` vanishes, as no TCP does, but many a proxy. */
  losses = 0;
  readonly #host: () => Host;
  #occasion: Occasion | undefined;
  readonly #holed = new Set<Line>();

  constructor({ clock, host, chance, device, history, observer = blind }: SimulatedNetworkOptions) {
    this.clock = clock;
    this.chance = chance ?? new Chance(1);
    this.device = device ?? new SimulatedDevice(clock);
    this.history = history ?? new History(() => clock.now());
    this.observer = observer;
    this.#host = host;
    this.device.onNetwork = (isOnline) => {
      for (const line of this.lines) line.stall(isOnline ? 0 : Infinity);
    };
    const { sockets } = this;
    const dial = (socket: ClientSocket): Line | null => this.#dial(socket);
    this.WebSocket = function WebSocket(url: string, protocols: string[] = []) {
      const socket = new ClientSocket(clock, { url, protocols });
      sockets.push(socket);
      socket.line = dial(socket);
      return socket;
    } as unknown as WebSocketConstructor;
  }

  /** Those on which anybody may still say anything. */
  get live(): Line[] {
    return this.lines.filter((line) => line.isLive);
  }

  /** The host is gone, and every connection to it: each client notices within the time, in ms, or not by itself (`null`). */
  abandon(host: Host, noticesMs: () => number | null): void {
    for (const line of this.lines) if (line.host === host) line.abandon(noticesMs());
  }

  /** The next frame of this kind is lost, and its connection with it. */
  lieInWait(occasion: Occasion): void {
    this.#occasion = occasion;
  }

  /** Whether a connection is to be lost at the next frame of this kind. */
  strikes(occasion: Occasion): boolean {
    return this.#occasion === occasion;
  }

  /** Whether this is that frame. */
  meets(occasion: Occasion, data: Data): boolean {
    return this.strikes(occasion) && isType(data, occasion);
  }

  /** Loses a connection now; `isLate`: what is on its way arrives all the same, some time later. */
  ambush(line: Line, isLate = false): void {
    this.history.note(`${line.name} ${isLate ? 'delays' : 'loses'} its ${String(this.#occasion)}`);
    this.#occasion = undefined;
    if (!isLate) return line.cut(this.cutting());
    const { chance } = this;
    const soon = { arriving: 1, clientNoticesMs: chance.between(0, 30), serverNoticesMs: null };
    line.cut({ ...soon, lateMs: chance.between(50, 2_000) });
  }

  /** A cut by chance: often noticed soon by both, sometimes late, or by one of them not at all. */
  cutting(chance: Chance = this.chance): Cut {
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
    this.refusals = this.losses = this.slowHandshakes = 0;
    for (const line of this.#holed) line.cut({ arriving: 0, lateMs: 0, clientNoticesMs: 1, serverNoticesMs: 1 });
    if (this.device.isOnline) for (const line of this.lines) line.stall(0);
  }

  #dial(socket: ClientSocket): Line | null {
    const host = this.#host();
    const { device, chance, history, clock } = this;
    if (!device.isOnline || !host.isUp || chance.happens(this.refusals)) {
      history.note(`a dial to ${host.name} is refused`);
      clock.setTimeout(() => {
        device.run(() => {
          socket.lose();
        });
      }, CONNECTING_LATENCY_MS);
      return null;
    }
    const line = new Line(this, socket, host);
    this.lines.push(line);
    history.note(`${line.name} is dialled`);
    if (this.slowHandshakes > 0 && chance.happens(this.slowHandshakes))
      line.stall(clock.now() + chance.between(0, LONGEST_DIAL_MS));
    line.up.send({ kind: 'handshake' });
    return line;
  }
}

function isType(data: Data, type: string): boolean {
  return typeof data === 'string' && data.startsWith(`{"t":"${type}"`);
}
