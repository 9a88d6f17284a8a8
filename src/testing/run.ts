import { replay, verify } from '../audit/index.ts';
import type { ServiceOptions } from '../index.ts';
import { Chance } from './chance.ts';
import { strike } from './faults.ts';
import type { Plan, Step } from './plan.ts';
import { PLANTED } from './payload.ts';
import { Stage } from './stage.ts';
import { Watch } from './watch.ts';

const MOST_MESSAGES = 8;
const LOOK_MS = 500;
const LOOK_RARELY_MS = 2_000;
// beyond what the options allow, everything is at rest
const SLACK_MS = 15_000;
const IDLE_MS = 5_000;
const SOON_MS = 1_000;
// the standard's number for a socket that has ended
const CLOSED = 3;

/** What is looked at while it runs, and after. */
export interface Spectator {
  /** Gets the stage before anything happens. */
  begins?: (stage: Stage) => void;
  service?: Partial<ServiceOptions> | undefined;
}

/** Carries out a plan: everything that may go wrong, a calm, and the end; and holds it to every rule. */
export async function perform(plan: Plan, { begins, service }: Spectator = {}): Promise<Stage> {
  const stage = new Stage(new Chance(plan.seed), { traits: plan.traits, service });
  const { history } = stage;
  try {
    history.note(() => `what may go wrong: ${plan.faults.join(', ') || 'nothing'}`);
    begins?.(stage);
    await live(stage, plan);
  } catch (error) {
    history.threw('the run itself:', error);
  }
  return stage;
}

async function live(stage: Stage, plan: Plan): Promise<void> {
  const watch = new Watch(stage);
  stage.start();
  for (const step of calmed(plan)) {
    if (plan.abruptAt !== null && step.at > plan.abruptAt) return endAbruptly(stage, { watch, at: plan.abruptAt });
    await passed(stage, watch, step.at);
    if (step.what === 'calm') stage.calm();
    else take(stage, step);
    watch.look();
    if (stage.isBroken) return;
  }
  await rest(stage, watch);
  // a last word in each direction shows that nothing is stuck
  for (const app of stage.apps) if (!stage.isBroken) app.lastWord();
  await rest(stage, watch);
  await idle(stage, watch);
  watch.end();
  if (!stage.isBroken) await end(stage);
}

// somebody looks all the while
async function passed(stage: Stage, watch: Watch, until: number): Promise<void> {
  while (until - stage.history.at > LOOK_RARELY_MS && !stage.isBroken) {
    await stage.pass(LOOK_RARELY_MS);
    watch.look();
  }
  await stage.pass(Math.max(0, until - stage.history.at));
}

// in the middle of it all; the servers live a little longer
async function endAbruptly(stage: Stage, { watch, at }: { watch: Watch; at: number }): Promise<void> {
  const { device, history } = stage;
  await passed(stage, watch, at);
  watch.end();
  history.note('the client is destroyed');
  // whoever does not run cannot end
  device.wake();
  device.thaw();
  await end(stage, stage.chance.happens(0.5) ? await destroyInside(stage) : undefined);
}

/** How often the client was destroyed in the middle of an event, and how often that came to its end. */
interface Inside {
  asked: number;
  ended: number;
}

// the application does so in the middle of an event: of one that comes soon, or of the end itself
async function destroyInside(stage: Stage): Promise<Inside> {
  const { apps, service, history } = stage;
  const inside = { asked: 0, ended: 0 };
  for (const app of apps)
    app.atNext = () => {
      history.note(`${app.connection.id} destroys the client while it is told something`);
      inside.asked += 1;
      void service.destroy().then(() => (inside.ended += 1));
    };
  await stage.pass(SOON_MS);
  return inside;
}

function calmed({ steps, calmAt }: Plan): (Step | { what: 'calm'; at: number })[] {
  const calm = { what: 'calm' as const, at: calmAt };
  const first = steps.findIndex(({ at }) => at >= calmAt);
  return first < 0 ? [...steps, calm] : [...steps.slice(0, first), calm, ...steps.slice(first)];
}

function take(stage: Stage, { what, seed }: Step): void {
  const chance = new Chance(seed);
  if (what === 'the client sends') {
    const app = chance.pick(stage.apps);
    stage.device.run(() => {
      for (let left = chance.below(MOST_MESSAGES); left >= 0; left--) app.send(chance);
    });
  } else if (what === 'the server sends') {
    const app = chance.pick(stage.serverApps);
    for (let left = chance.below(MOST_MESSAGES); left >= 0; left--) app.send(chance);
  } else strike(what, stage, chance);
}

// open within a bounded time once nothing goes wrong any more, with everything told and delivered
async function rest(stage: Stage, watch: Watch): Promise<void> {
  const { history, apps, serverApps, book } = stage;
  const deadline = history.at + watch.longestMs + SLACK_MS;
  for (;;) {
    await stage.pass(LOOK_MS);
    watch.look();
    if (stage.isBroken) return;
    const unrest =
      [...apps, ...serverApps].map((app) => app.unrest).find((each) => each !== null) ?? book.open ?? deadLink(stage);
    if (unrest === null) return;
    if (history.at > deadline) {
      history.fail(`there is no rest: ${unrest}`);
      return;
    }
    // what has failed for a reason is asked for again
    for (const app of apps) if (app.connection.status.state === 'failed') app.connect();
  }
}

// one that is still to be noticed
function deadLink({ network }: Stage): string | null {
  const dead = network.lines.find(({ isDead, client }) => isDead && client.isLive);
  return dead ? `${dead.name} is dead, and its client uses it` : null;
}

// what has nothing to do does nothing, but for a heartbeat
async function idle(stage: Stage, watch: Watch): Promise<void> {
  const before = stage.network.sockets.length;
  await stage.pass(IDLE_MS);
  watch.look();
  stage.history.require(stage.network.sockets.length === before, () => 'at rest there are dials');
}

async function end(stage: Stage, inside: Inside = { asked: 0, ended: 0 }): Promise<void> {
  const { history, service, nodes, store, network, clock, device, apps, book } = stage;
  let left = 1 + nodes.length;
  const ended = (): void => {
    left -= 1;
  };
  const destroy = async (): Promise<void> => {
    await service.destroy();
    history.require(device.timersLeft === 0, () => `${device.timersLeft} timers are left when the client has ended`);
    history.require(device.listenersLeft === 0, () => 'somebody listens to the device when the client has ended');
  };
  const endings = [destroy, ...nodes.map((node) => () => node.close())];
  stage.end();
  for (const ending of stage.chance.happens(0.5) ? endings : endings.reverse())
    ending().then(ended, (error: unknown) => {
      history.threw('an end fails:', error);
    });
  await stage.pass(20_000);
  history.require(left === 0, () => 'the client or a server does not come to its end');
  history.require(inside.asked === inside.ended, () => 'who destroyed the client inside an event waits for ever');
  for (const { name, timersLeft } of nodes)
    history.require(timersLeft === 0, () => `${timersLeft} timers are left when ${name} has ended`);
  book.close();
  for (const app of apps) app.checkFates();
  const closing = stage.closeAudit();
  await stage.pass(10_000);
  await closing;
  await store.close();
  history.require(clock.pending() === 0, () => `${clock.pending()} timers are left`);
  history.require(device.listenersLeft === 0, () => 'somebody listens to the device');
  for (const { readyState, listenersLeft } of network.sockets) {
    history.require(readyState === CLOSED, () => 'a socket is left open');
    history.require(listenersLeft === 0, () => `${listenersLeft} listeners are left on a socket`);
  }
  await audit(stage);
}

// whatever happened, the log is whole, the machines do the same again, and it holds no secret
async function audit({ audit: lines, history }: Stage): Promise<void> {
  const { verdict, problems } = await verify(lines);
  history.require(verdict === 'intact', () => `the audit log is ${verdict}: ${JSON.stringify(problems[0])}`);
  const { divergences, skipped } = await replay(lines);
  history.require(divergences.length === 0, () => `the replay: ${JSON.stringify(divergences[0])}`);
  history.require(skipped === 0, () => `the replay passes over ${skipped} records`);
  for (const secret of Object.values(PLANTED))
    history.require(!lines.some((line) => line.includes(secret)), () => `${secret} is in the audit log`);
}
