import type { Connection } from '../../src/handle.ts';
import type { ConnectOptions, ServiceOptions } from '../../src/options.ts';
import { browserSockets } from './fake-socket.ts';
import { ServerScript, type Welcome } from './server-script.ts';
import { Rig, type RigOptions } from './service.ts';

/** A service type of the pool `p`. */
export const MEMBER: ServiceOptions = { url: 'wss://host/', wire: 'required', pool: 'p' };

/** Waits between attempts that are longer than those of whoever carries a pool. */
export const SLOW = { baseMs: 10_000, capMs: 10_000, promptMs: 10_000 };

/** The server's end of a socket that a pool uses. */
export class PoolScript extends ServerScript {
  /** The name of the channel that was opened last for a service. @throws When there is none. */
  nameOf(service: string): string {
    const opened = this.of('open').findLast(({ n }) => n === service);
    if (!opened) throw new Error(`No channel was opened for ${service}, but ${JSON.stringify(this.of('open'))}.`);
    return opened.c;
  }

  /** The messages of the channels with their positions, as often as they came, and what each channel is for. */
  get said(): [position: number, service: string, payload: unknown][] {
    const services = new Map(this.of('open').map(({ c, n }) => [c, n]));
    return this.frames.flatMap((frame) => {
      if (frame.t !== 'm') return [];
      return frame.b.map(
        ({ d, c = '' }, index) => [frame.s + index, services.get(c) ?? c, d] as [number, string, unknown],
      );
    });
  }

  /** Sends messages of one channel from a position on. */
  tells(first: number, service: string, ...payloads: unknown[]): void {
    const c = this.nameOf(service);
    this.says({ t: 'm', s: first, b: payloads.map((d) => ({ d, c })) });
  }

  /** Holds a channel back, or lets it go. */
  holds(service: string, isHeld = true): void {
    this.says({ t: 'flow', c: this.nameOf(service), w: isHeld ? { m: 0, b: 0 } : { m: 256, b: 65_536 } });
  }
}

/** A service with a pool: the types `chat` and `log`, and what else it is given. */
export class PoolRig extends Rig {
  constructor({ services, ...options }: RigOptions = {}) {
    let draws = 0;
    super(browserSockets(), {
      // different every time, and the same in every run
      random: () => ((draws += 1) * 0.618_034) % 1,
      ...options,
      services: { chat: MEMBER, log: MEMBER, ...services },
    });
  }

  /** The server's end of the newest socket. */
  get server(): PoolScript {
    return new PoolScript(this.sockets.last);
  }

  connection(id: string): Connection {
    return this.service.connection(id);
  }

  /** The newest socket opens, and the server greets. */
  async greets(): Promise<PoolScript> {
    this.sockets.last.opens();
    await this.settle();
    this.server.srv();
    await this.settle();
    return this.server;
  }

  /** The same, and it opens a session, or the one that is given. */
  async welcomes(welcome?: Partial<Welcome>): Promise<PoolScript> {
    const server = await this.greets();
    server.welcome(welcome);
    await this.settle();
    return server;
  }

  /** The same, and the session goes on. */
  async resumes(welcome?: Partial<Welcome>): Promise<PoolScript> {
    return this.welcomes({ gen: 2, tok: 'k2', resumed: true, ...welcome });
  }

  /** Connects, and lets the server open a session unless there is one. */
  async joins(...wishes: (string | ConnectOptions)[]): Promise<PoolScript> {
    const isFirst = this.sockets.live.length === 0;
    for (const wish of wishes)
      void this.service.connect(typeof wish === 'string' ? { serviceType: wish } : wish).catch(() => undefined);
    await this.settle();
    return isFirst ? this.welcomes() : this.server;
  }

  /** The socket breaks, and all but those of the type `late` have tried again; the new one is not open yet. */
  async drops(code = 1006): Promise<void> {
    this.sockets.last.ends(code);
    await this.settle();
    for (;;) {
      const waiting = this.service.getConnections().filter(({ serviceType }) => serviceType !== 'late');
      const next = Math.min(...waiting.map(({ retryAt }) => retryAt ?? Infinity));
      if (next === Infinity) return;
      await this.clock.advanceAsync(next - this.clock.now());
    }
  }

  /** By how much the counts of each connection are off. */
  get imbalances(): [id: string, by: number][] {
    return this.service.getConnections().flatMap(({ connectionId, messages }) => {
      const { accepted, sent, acknowledged, dropped, unknown, waiting } = messages;
      const by = accepted - sent - acknowledged - dropped - unknown - waiting;
      return by === 0 ? [] : [[connectionId, by] as [string, number]];
    });
  }

  states(...ids: string[]): string[] {
    return ids.map((id) => this.state(id));
  }
}
