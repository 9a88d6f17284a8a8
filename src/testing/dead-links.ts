import type { HeartbeatOptions, ServiceOptions } from '../index.ts';
import type { Line } from './line.ts';
import type { Stage } from './stage.ts';

const SLACK_MS = 2_000;
// a server takes a client for dead that is silent for its interval and timeout, which are these where nothing is said, and looks for such now and then
const SERVER_SILENCE_MS = 25_000 + 10_000 + 5_000;

/** What is known of one link. */
interface Sight {
  /** From a probe to the end of the next one, by the heartbeat that it goes by: that which was set when it opened. Where that was between two looks, the longer of both. In ms. */
  probe: number;
  /** The same while the page is hidden. */
  hiddenProbe: number;
  hasOpened: boolean;
  /** Which way it is dead: the client hears nothing (`deaf`), or only is not heard (`mute`); `null` while it is not. */
  ailment: 'deaf' | 'mute' | null;
  /** From when on somebody could have noticed that, in ms of the run. */
  since: number;
}

/** Finds links that are dead and taken for living ones: nothing comes through to the client, or nothing of the client on a wire whose server watches as well. */
export class DeadLinks {
  readonly #stage: Stage;
  readonly #hiddenMs: number;
  readonly #dialMs: number;
  readonly #sights = new Map<Line, Sight>();
  // at the last look
  #heartbeat: HeartbeatOptions | false | undefined;
  #hiddenAt = -Infinity;
  #wasStill = false;

  constructor(stage: Stage) {
    const { retry, connectTimeoutMs = 10_000 }: ServiceOptions = stage.settings;
    this.#stage = stage;
    this.#hiddenMs = retry?.hiddenMs ?? 30_000;
    this.#dialMs = connectTimeoutMs;
    this.#heartbeat = stage.heartbeat;
  }

  /** @param lateMs How long ago the look before was. */
  look(lateMs: number): void {
    const { history, network, device, heartbeat } = this.#stage;
    if (device.isHidden) this.#hiddenAt = history.at;
    for (const line of network.lines) {
      const sight = this.#sightOf(line);
      const ailment = this.#ailmentOf(line);
      // who does not run cannot notice, and runs again since some moment after the last look
      if (ailment !== sight.ailment || device.isStill || this.#wasStill) sight.since = history.at;
      else if (ailment !== null) this.#require(line, sight, lateMs);
      sight.ailment = ailment;
    }
    this.#heartbeat = heartbeat;
    this.#wasStill = device.isStill;
  }

  // a link goes by the heartbeat that was set when it opened, somewhere between two looks
  #sightOf(line: Line): Sight {
    const known = this.#sights.get(line);
    if (known && line.client.hasOpened && known.hasOpened) return known;
    const both = [this.#heartbeat, this.#stage.heartbeat];
    const sight = {
      probe: Math.max(known?.probe ?? 0, ...both.map((heartbeat) => probeOf(heartbeat))),
      hiddenProbe: Math.max(known?.hiddenProbe ?? 0, ...both.map((heartbeat) => probeOf(heartbeat, this.#hiddenMs))),
      hasOpened: line.client.hasOpened,
      ailment: known?.ailment ?? null,
      since: known?.since ?? this.#stage.history.at,
    };
    this.#sights.set(line, sight);
    return sight;
  }

  // on a wire whose server watches as well somebody notices either way
  #ailmentOf({ client, host, isDeaf, isDead }: Line): Sight['ailment'] {
    if (!client.isLive || !isDead) return null;
    if (isDeaf) return 'deaf';
    return client.hasOpened && this.#stage.nodes.some((node) => node === host) ? 'mute' : null;
  }

  #require(line: Line, { probe, hiddenProbe, since, ailment }: Sight, lateMs: number): void {
    const { history, heardAt } = this.#stage;
    const wasHidden = this.#hiddenAt >= since - hiddenProbe;
    // what was on its way may arrive long after
    const forMs = history.at - Math.max(since, heardAt.get(line) ?? 0);
    // whoever hides begins a new wait, longer than the one before
    const mostMs = Math.max(
      wasHidden ? probe + hiddenProbe : probe,
      ailment === 'deaf' ? 0 : SERVER_SILENCE_MS,
      // to connect, and for what both say first
      this.#stage.isLinked(line) ? 0 : 2 * this.#dialMs,
    );
    history.require(
      forMs <= mostMs + lateMs + SLACK_MS,
      () => `${line.name} lets nothing through for ${Math.round(forMs)} ms, and nobody has noticed`,
    );
  }
}

/** From a probe to the end of the next one, in ms, where probes are at least so far apart. */
export function probeOf(heartbeat: HeartbeatOptions | false = {}, leastMs = 0): number {
  const { intervalMs = 25_000, timeoutMs = 10_000 } = heartbeat || {};
  return Math.max(intervalMs, leastMs) + timeoutMs;
}
