import { setTimeout as sleep } from 'node:timers/promises';
import {
  EnhancedWebSocketService,
  type ConnectionState,
  type Grade,
  type HealthInfo,
  type ServiceOptions,
  type WireName,
} from 'holdfast';
import { WebSocket } from 'ws';

import { ShapedProxy, type Direction, type Shape } from '../test/support/shaped-proxy.ts';
import { startPeer, type Peer } from './health-peers.ts';
import { flapsOf, HealthRecord, timeTo } from './health-record.ts';

/** A link, and what happens on it. */
export interface Course {
  name: string;
  shape: Shape;
  /** It is over when this is. */
  play: (scene: Scene) => Promise<void>;
}

/** Who goes through it. */
export interface Traveller {
  wire: WireName;
  /** How its connection behaves, apart from that. */
  options?: Omit<ServiceOptions, 'url' | 'wire'>;
  /** Decides on jitter and stalls. */
  seed?: number;
}

/** What there is to play with. */
export interface Scene {
  proxy: ShapedProxy;
  peer: Peer;
  record: HealthRecord;
  /** Sends a message to the server. */
  send: (text: string) => void;
  /** When the fault began, and when it was over, in ms of `performance.now()`. */
  begunMs: number | null;
  overMs: number | null;
}

/** What was seen of a course. Times in ms; `null` for what did not happen. */
export interface Sighting {
  /** The round trip as the proxy has it: the medians of both ways together. */
  truthMs: number | null;
  /** As it was measured. */
  p50Ms: number | null;
  maxMs: number | null;
  /** The smoothed round trip after each measurement. */
  smoothed: readonly number[];
  samples: number;
  /** From the beginning of the fault to the first `degraded`. */
  degradedMs: number | null;
  /** And to `backoff`. */
  givenUpMs: number | null;
  /** From the end of the fault until it was open, and no worse. */
  openMs: number | null;
  /** Between open and degraded, since the fault began or else all the time. */
  flaps: number;
  /** In the end. */
  grade: Grade;
}

/** Sends a connection on a course, to a server of its own. */
export async function observe({ shape, play }: Course, { wire, options, seed }: Traveller): Promise<Sighting> {
  const peer = await startPeer(wire);
  const proxy = new ShapedProxy(peer.port, shape, seed);
  await proxy.listen();
  const service = new EnhancedWebSocketService({
    services: { main: { ...options, url: proxy.url, wire: wire === 'plain' ? 'plain' : 'required' } },
    WebSocket: Uncompressed,
  });
  const record = new HealthRecord(service);
  try {
    const id = await service.connect({ serviceType: 'main' });
    const send = (text: string): void => void service.connection(id).send(text);
    const scene: Scene = { proxy, peer, record, send, begunMs: null, overMs: null };
    // what the handshake took is no part of its truth
    proxy.shape(shape);
    await play(scene);
    return sightingOf(scene, service.getHealthInfo(id));
  } finally {
    await service.destroy({ deadlineMs: 0 });
    await proxy.stop();
    await peer.stop();
  }
}

/** A link on which nothing happens, until so many round trips are measured. */
export function steady(samples: number, withinMs: number): Course['play'] {
  return async ({ record }) => {
    await record.comesToBe(() => record.roundTrips.length >= samples, withinMs);
  };
}

export interface Hole {
  directions: readonly Direction[];
  /** From the first round trip to its beginning. */
  afterMs: number;
  /** How long it lasts after the link is given up, or after `withinMs`. */
  lastsMs: number;
  /** What has not happened by then is not waited for. */
  withinMs: number;
  /** What happens in the meantime. */
  meanwhile?: (scene: Scene) => () => void;
}

/** A link that swallows everything for a while. */
export function hole({ directions, afterMs, lastsMs, withinMs, meanwhile }: Hole): Course['play'] {
  return async (scene) => {
    const { proxy, record } = scene;
    await record.comesToBe(() => record.roundTrips.length > 0, withinMs);
    await sleep(afterMs);
    begin(scene);
    proxy.blackhole([...directions]);
    const end = meanwhile?.(scene);
    await record.comesToBe(() => since(scene, 'backoff') !== null, withinMs);
    await sleep(lastsMs);
    end?.();
    proxy.restore();
    await recovery(scene, withinMs);
  };
}

export interface Detour extends Pick<Hole, 'afterMs' | 'withinMs'> {
  from: Shape;
  to: Shape;
}

/** A link that takes another shape until that is noticed, and then its own again. */
export function detour({ from, to, afterMs, withinMs }: Detour): Course['play'] {
  return async (scene) => {
    const { proxy, record } = scene;
    await record.comesToBe(() => record.roundTrips.length > 0, withinMs);
    await sleep(afterMs);
    begin(scene);
    proxy.shape(to);
    await record.comesToBe(() => since(scene, 'degraded') !== null, withinMs);
    proxy.shape(from);
    await recovery(scene, withinMs);
  };
}

function begin(scene: Scene): void {
  scene.begunMs = performance.now();
}

async function recovery(scene: Scene, withinMs: number): Promise<void> {
  const { record } = scene;
  scene.overMs = performance.now();
  // what nobody noticed is not recovered from
  if (record.changes.at(-1)?.current === 'open') return;
  await record.comesToBe(() => timeTo('open', scene.overMs, record.changes) !== null, withinMs);
}

function since({ begunMs, record }: Scene, state: ConnectionState): number | null {
  return timeTo(state, begunMs, record.changes);
}

function sightingOf(scene: Scene, info: HealthInfo | null): Sighting {
  const { proxy, record, begunMs, overMs } = scene;
  const { up, down } = proxy.truth;
  const { roundTrips, smoothed, changes } = record;
  return {
    truthMs: up && down && up.p50Ms + down.p50Ms,
    p50Ms: info?.roundTrips?.p50Ms ?? null,
    maxMs: roundTrips.length > 0 ? Math.max(...roundTrips) : null,
    smoothed,
    samples: roundTrips.length,
    degradedMs: since(scene, 'degraded'),
    givenUpMs: since(scene, 'backoff'),
    openMs: timeTo('open', overMs, changes),
    flaps: flapsOf(changes, begunMs ?? undefined),
    grade: info?.grade ?? 'unknown',
  };
}

class Uncompressed extends WebSocket {
  constructor(url: string, protocols?: string[]) {
    super(url, protocols, { perMessageDeflate: false });
  }
}
