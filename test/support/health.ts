import type { HealthInfo, Recommendation } from '../../src/health-info.ts';
import { FakeNodeSocket, FakeSockets } from './fake-socket.ts';
import { Rig, type RigOptions } from './service.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';

/** A clock whose wall and whose monotonic time can be set apart; timers keep to neither. */
export class JumpingClock extends SimulatedClock {
  #wallMs = 0;
  #monotonicMs = 0;

  override now(): number {
    return super.now() + this.#wallMs;
  }

  monotonicNow(): number {
    return super.now() + this.#monotonicMs;
  }

  wallJumps(ms: number): void {
    this.#wallMs += ms;
  }

  monotonicJumps(ms: number): void {
    this.#monotonicMs += ms;
  }
}

/** How the peers of a rig answer protocol pings. */
export interface Peer {
  /** How long a pong takes, in ms; `null`: none comes. */
  pongMs: number | null;
  /** The same for the next one alone. */
  nextPongMs?: number | undefined;
}

/** A service whose links are watched as by default, and whose peers answer protocol pings. */
export class HealthRig extends Rig<FakeNodeSocket> {
  readonly peer: Peer;

  constructor({ terminal, clock = new SimulatedClock(), ...options }: RigOptions = {}) {
    const peer: Peer = { pongMs: 20 };
    class AnsweringSocket extends FakeNodeSocket {
      override ping(mark?: string): void {
        super.ping(mark);
        const pongMs = peer.nextPongMs ?? peer.pongMs;
        peer.nextPongMs = undefined;
        if (pongMs === null) return;
        clock.setTimeout(() => {
          if (this.isLive) this.controls('pong', mark);
        }, pongMs);
      }
    }
    super(new FakeSockets(AnsweringSocket), {
      ...options,
      clock,
      terminal: { heartbeat: { promptMs: 1_000 }, ...terminal },
    });
    this.peer = peer;
  }

  info(id = 'terminal:one'): HealthInfo {
    const info = this.service.getHealthInfo(id);
    if (!info) throw new Error(`Nothing is known of ${id}.`);
    return info;
  }

  /** The grades so far, each with what it followed. */
  get grades(): string[] {
    return this.of('health').map(({ previous, current }) => `${previous} → ${current}`);
  }

  advice(id = 'terminal:one'): Recommendation[] {
    return this.service.getRecommendations(id);
  }

  advised(id = 'terminal:one'): string[] {
    return this.advice(id).map((each) => each.id);
  }

  /** The socket breaks. */
  async drops(code = 1006): Promise<void> {
    this.sockets.last.ends(code);
    await this.settle();
  }

  /** So many seconds pass. */
  async seconds(count: number): Promise<void> {
    await this.clock.advanceAsync(count * 1_000);
  }
}
