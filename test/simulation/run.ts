import type { Turn } from '../../src/audit/observation.ts';
import type { LiveSession } from '../../src/server/live-session.ts';
import { writeText } from '../../src/protocol/text-frames.ts';
import type { Line, Occasion } from '../../src/testing/line.ts';
import type { Node } from './node.ts';
import { rehearsed } from '../support/rehearsed.ts';
import { World, type Fault, type Flaws } from './world.ts';

const ACTIONS = { least: 30, most: 80 };
const OCCASIONS: readonly Occasion[] = ['srv', 'hello', 'welcome', 'ack', 'close'];
// the longest that anything may take to come to rest once nothing goes wrong any more
const CALM_MS = 60_000;
const LOOK_MS = 250;
const IDLE_MS = 3_000;
const MOST_IDLE_TURNS = 100;
const MOST_DIALS = 100;
// the standard's number for a socket that has ended
const CLOSED = 3;
const HISTORY_LINES = Number(process.env['HOLDFAST_MODEL_LINES'] ?? 90);

/** What came of one run. */
export interface Outcome {
  seed: number;
  /** The rule that was broken; `null` for none. */
  breach: string | null;
  /** The last part of what happened. */
  tail: string;
  /** What might go wrong in it. */
  faults: readonly Fault[];
  /** How long it was for those in it, in ms. */
  virtualMs: number;
}

/** Who looks on. */
export interface Onlooker {
  /** Hears what each actor of the client does. */
  heard?: (turn: Turn) => void;
  /** Gets all that happened, as lines. */
  told?: (history: string) => void;
}

/** One run: two thirds of it with everything that may go wrong, one third calm, then the end, and what must hold then. */
export async function run(seed: number, flaws: Flaws = {}, { heard, told }: Onlooker = {}): Promise<Outcome> {
  const world = new World(seed, flaws);
  const { history } = world;
  const divergences = rehearsed(world.service, heard);
  try {
    await live(world);
    // whatever happened, the client's machines must do the same again
    for (const divergence of divergences()) history.fail(`the replay: ${JSON.stringify(divergence)}`);
  } catch (error) {
    history.fail(`the run itself: ${String((error as Error).stack)}`);
  }
  const breach = history.breach ?? null;
  told?.(history.tail(Infinity));
  const tail = breach === null ? '' : history.tail(HISTORY_LINES);
  return { seed, breach, tail, faults: [...world.faults], virtualMs: history.at };
}

async function live(world: World): Promise<void> {
  const { chance, history } = world;
  history.note(`faults: ${[...world.faults].join(', ')}`);
  world.start();
  const actions = Math.floor(chance.between(ACTIONS.least, ACTIONS.most));
  const stormy = Math.floor((actions * 2) / 3);
  for (let number = 0; number < actions && history.breach === undefined; number++) {
    if (number === stormy) await calm(world);
    await world.pass(pauseOf(world));
    if (number < stormy && chance.happens(0.3)) await fault(world);
    else traffic(world);
    if (number % 4 === 0) for (const peer of world.peers) peer.checkBooks();
  }
  await rest(world, 'the calm');
  // a last word in each direction shows that nothing is stuck
  for (const peer of world.peers) {
    if (!peer.isWanted) peer.join();
    peer.send();
  }
  for (const node of world.nodes) for (const session of node.sessions) node.send(session);
  await rest(world, 'the last word');
  await idle(world);
  if (history.breach === undefined) await end(world);
}

function pauseOf({ chance }: World): number {
  const kind = chance.draw();
  if (kind < 0.4) return chance.between(0, 3);
  if (kind < 0.8) return chance.between(0, 60);
  return kind < 0.97 ? chance.between(0, 400) : chance.between(0, 3_000);
}

function traffic(world: World): void {
  const { chance, peers, nodes } = world;
  const peer = chance.pick(peers);
  if (peer.isShared && peer.isWanted && chance.happens(0.05)) return peer.leave();
  if (!peer.isWanted) return peer.isGone ? peer.join() : undefined;
  const node = chance.pick(nodes);
  const sessions = node.sessions;
  const kind = chance.draw();
  if (kind < 0.45) for (let left = chance.below(5); left >= 0; left--) peer.send();
  else if (kind < 0.52) peer.ask();
  else if (sessions.length === 0) peer.send();
  else if (kind < 0.85) speak(world, node, chance.pick(sessions));
  else if (kind < 0.9) node.broadcast();
  else if (kind < 0.95) node.ask(chance.pick(sessions));
  else node.flit(chance.pick(sessions));
}

function speak({ chance }: World, node: Node, session: LiveSession): void {
  for (let left = chance.below(5); left >= 0; left--) node.send(session);
}

async function fault(world: World): Promise<void> {
  const { chance, network, nodes, clock, history } = world;
  const possible = [...world.faults];
  const kind = possible.length > 0 ? chance.pick(possible) : undefined;
  const [line] = network.live.length > 0 ? [chance.pick(network.live)] : [];
  const node = chance.pick(nodes);
  if (kind === 'cuts') line?.cut(network.cutting());
  else if (kind === 'ambushes') network.lieInWait(chance.pick(OCCASIONS));
  else if (kind === 'refusals') network.refusals = chance.pick([0, 0.4, 0.8]);
  else if (kind === 'losses') network.losses = chance.pick([0, 0.02, 0.2]);
  else if (kind === 'stalls' && line) {
    const until = clock.now() + chance.between(50, 5_000);
    history.note(`${line.name} stalls until ${(until - clock.now()).toFixed(0)} ms from now`);
    if (chance.happens(0.7)) line.up.stallUntil(until);
    if (chance.happens(0.7)) line.down.stallUntil(until);
  } else if (kind === 'crashes') crash(world, node);
  else if (kind === 'drains') {
    if (node.isUp) leave(world, node);
    else node.start();
  } else if (kind === 'slow readers' && line) hold(world, line);
  else if (kind === 'closings' && node.sessions.length > 0) node.closeChannel(chance.pick(node.sessions));
  else if (kind === 'disasters' && chance.happens(0.2)) {
    for (const each of nodes) crash(world, each);
    await world.store.restore();
  } else if (kind === 'short lives' && chance.happens(0.3)) {
    network.refusals = 1;
    for (const each of network.live) each.cut(network.cutting());
    await world.pass(chance.between(1_000, 9_000));
    network.refusals = 0;
  } else traffic(world);
}

function hold({ chance, truth }: World, line: Line): void {
  const { channels, shut } = truth.session(line.sid) ?? {
    channels: new Map<string, string>(),
    shut: new Set<string>(),
  };
  const open = [...channels.keys()].filter((name) => !shut.has(name));
  if (open.length > 0) askToHold(line, chance.pick(open), chance.happens(0.6));
}

// the client asks for a channel to be held back, or to go on; a client as ours never does
function askToHold(line: Line, channel: string, isHeld: boolean): void {
  const data = writeText({ t: 'flow', w: isHeld ? { m: 0, b: 0 } : { m: 256, b: 65_536 }, c: channel });
  line.network.history.note(`${line.name} → ${data}`);
  line.up.send({ kind: 'data', data });
}

// it goes on talking while its clients leave
function leave({ chance, clock }: World, node: Node): void {
  void node.leave();
  for (let left = chance.below(40); left > 0; left--)
    clock.setTimeout(
      () => {
        for (const session of node.sessions) node.send(session);
      },
      chance.between(0, 500),
    );
}

function crash(world: World, node: Node): void {
  const { chance, network, clock } = world;
  if (!node.isUp) {
    node.start();
    return;
  }
  node.crash();
  network.abandon(node, () => network.cutting().clientNoticesMs);
  clock.setTimeout(
    () => {
      node.start();
    },
    chance.between(10, 3_000),
  );
}

async function calm(world: World): Promise<void> {
  world.history.note('from now on it is calm');
  world.network.calm();
  await world.pass(3_000);
  for (const node of world.nodes) if (!node.isUp) node.start();
}

// what has nothing to do does nothing, but for a heartbeat
async function idle(world: World): Promise<void> {
  const turns = await world.pass(IDLE_MS);
  world.history.require(turns < MOST_IDLE_TURNS, () => `at rest there were ${turns} turns in ${IDLE_MS} ms`);
}

async function rest(world: World, after: string): Promise<void> {
  const { history, clock, network } = world;
  const deadline = clock.now() + CALM_MS;
  const dialled = network.sockets.length;
  for (;;) {
    await world.pass(LOOK_MS);
    if (history.breach !== undefined) return;
    for (const line of world.network.live)
      for (const name of world.truth.holds.heldOn(line)) askToHold(line, name, false);
    // one that was still leaving when the calm began
    for (const node of world.nodes) if (!node.isUp) node.start();
    const unrest = unrestOf(world);
    if (unrest === null) return;
    const dials = network.sockets.length - dialled;
    if (clock.now() > deadline || dials > MOST_DIALS) {
      history.fail(`after ${after} there is no rest: ${unrest}, after ${dials} more dials`);
      return;
    }
  }
}

function unrestOf({ peers, nodes, carried, truth }: World): string | null {
  for (const peer of peers) {
    const { unrest } = peer;
    if (unrest !== null) return unrest;
  }
  if (carried.lack !== null) return carried.lack;
  if (truth.unread !== null) return `nobody has had ${truth.unread}, which is acknowledged`;
  for (const node of nodes) {
    // one without a socket may be of a hello that came too late: nobody will ever ask for it
    const attached = new Set(node.sessions.filter(({ state }) => state === 'attached').map(({ id }) => id));
    const open = node.dispatched.find(({ outcome, sid }) => outcome === undefined && attached.has(sid));
    if (open) return `${node.name} does not know what became of ${open.tag}`;
  }
  return null;
}

async function end(world: World): Promise<void> {
  const { history, clock, service, nodes, network, store, peers, chance } = world;
  for (const peer of peers) peer.checkFates();
  for (const node of nodes) node.checkFates();
  const closings: (() => Promise<void>)[] = [() => service.destroy(), ...nodes.map((node) => () => node.close())];
  if (chance.happens(0.5)) closings.reverse();
  let isOver = false;
  void Promise.all(closings.map((close) => close())).then(() => {
    isOver = true;
  });
  await world.pass(20_000);
  history.require(isOver, () => 'the client or a server does not come to its end');
  await store.inner.close();
  await world.pass(20_000);
  history.require(clock.pending() === 0, () => `${clock.pending()} timers are left`);
  for (const { readyState, listenersLeft } of network.sockets) {
    history.require(readyState === CLOSED, () => 'a socket is left open');
    // one that is let go of after its end is never heard again
    history.require(readyState === CLOSED || listenersLeft === 0, () => `${listenersLeft} listeners are left`);
  }
}
