import type { Chance } from './chance.ts';
import type { Line } from './line.ts';
import { PLANTED } from './payload.ts';
import type { SimulatedServer } from './server.ts';
import { LONGEST_HEARTBEAT_MS, TRAITS, type Stage, type Trait } from './stage.ts';

/** @returns `false` where there was nothing to strike. */
type Strike = (stage: Stage, chance: Chance) => unknown;

const NOTHING = 'there was nothing to strike';
// a fault, and not nothing after it
const STRUCK = new RegExp(` {2}fault: ([^\\n]+)(?!\\n[^\\n]*${NOTHING})$`, 'gm');
const HOUR_MS = 3_600_000;
const CODES = [1000, 1001, 1011, 1012, 1013, 1014, 4100, 4429, 4503];
const OCCASIONS = ['srv', 'hello', 'welcome', 'ack', 'close'] as const;
const DIRECTIONS = ['up', 'down'] as const;

/** What goes wrong at one moment, or from it on for a while. */
const STRIKES = {
  cuts: onLine((line, { network }, chance) => {
    line.cut(network.cutting(chance));
  }),
  resets: onLine((line) => {
    line.cut({ arriving: 0, lateMs: 0, clientNoticesMs: 0, serverNoticesMs: 0 });
  }),
  'half-open links': onLine((line) => {
    line.silence();
  }),
  'one-way links': onLine((line, _, chance) => {
    line.silence([chance.pick(DIRECTIONS)]);
  }),
  ambushes: ({ network }, chance) => {
    network.lieInWait(chance.pick(OCCASIONS));
  },
  stalls: onLine((line, { clock }, chance) => {
    const directions = chance.happens(0.5) ? DIRECTIONS : [chance.pick(DIRECTIONS)];
    line.stall(clock.now() + chance.between(50, 8_000), directions);
  }),
  refusals: forAWhile(
    10_000,
    ({ network }, chance) => (network.refusals = chance.pick([0.5, 1])),
    ({ network }) => (network.refusals = 0),
  ),
  'slow handshakes': forAWhile(
    10_000,
    ({ network }) => (network.slowHandshakes = 0.7),
    ({ network }) => (network.slowHandshakes = 0),
  ),
  crashes: (stage, chance) => {
    const host = chance.pick(hostsOf(stage));
    if (!host.isUp) return false;
    crash(stage, chance, host);
    return true;
  },
  drains: (stage, chance) => {
    if (stage.plain) return false;
    const node = chance.pick(stage.nodes);
    if (!node.isUp) return false;
    const options = { spreadMs: chance.pick([0, 300]), deadlineMs: chance.pick([0, 200, 1_000]) };
    stage.history.note(`${node.name} drains`);
    void node.drain(options).then(() => {
      stage.revive(node);
    });
    return true;
  },
  dismissals: onLine((line, _, chance) => {
    // some repeat what they were told
    line.dismiss(chance.pick(CODES), `dismissed: ${PLANTED.token} of ${line.client.url}`);
  }),
  'lost stores': (stage, chance) => {
    if (stage.plain || chance.happens(0.5)) return false;
    for (const host of hostsOf(stage)) crash(stage, chance, host);
    stage.history.note('the store loses everything');
    void stage.store.lose();
    return true;
  },
  'hostile servers': forAWhile(
    8_000,
    (stage, chance) => {
      stage.isHijacked = true;
      for (const line of stage.network.live) if (chance.happens(0.5)) line.cut(stage.network.cutting(chance));
    },
    (stage) => (stage.isHijacked = false),
  ),
  offline: forAWhile(
    20_000,
    ({ device }) => {
      device.goOffline();
    },
    ({ device }) => {
      device.goOnline();
    },
  ),
  'hidden pages': forAWhile(
    40_000,
    ({ device }) => {
      device.hide();
    },
    ({ device }) => {
      device.show();
    },
  ),
  freezes: forAWhile(
    40_000,
    ({ device }) => {
      device.freeze();
    },
    ({ device }) => {
      device.thaw();
    },
  ),
  sleeps: forAWhile(
    60_000,
    ({ device }) => {
      device.sleep();
    },
    ({ device }) => {
      device.wake();
    },
  ),
  'clock jumps': ({ device, history }, chance) => {
    const byMs = Math.round(chance.between(-HOUR_MS, HOUR_MS));
    history.note(`the wall clock is set by ${byMs} ms`);
    device.setWall(byMs);
  },
  'bad credentials': forAWhile(
    5_000,
    (stage, chance) => (stage.credentials = chance.pick(['refused', 'failing', 'hanging'])),
    (stage) => (stage.credentials = 'fine'),
  ),
  meddling: (stage, chance) => {
    const app = chance.pick(stage.apps);
    stage.device.run(() => {
      meddle(stage, chance, app);
    });
  },
  closings: (stage, chance) => {
    const app = chance.pick(stage.apps);
    const { device } = stage;
    device.run(() => {
      app.close();
    });
    stage.later(chance.pick([0, 0, 5, 3_000]), () => {
      device.run(() => {
        app.connect();
      });
    });
  },
} satisfies Record<string, Strike>;

/** What may go wrong in a simulation. */
export type FaultKind = keyof typeof STRIKES | Trait;

/** What strikes at a moment. */
export const STRIKING = Object.keys(STRIKES) as (keyof typeof STRIKES)[];

/**
 * Everything that may go wrong: `cuts`, of what is on its way a part arrives, and each end notices soon, late or never; `resets`, both notice at once; `half-open links`, nothing gets through
 * any more and nobody is told; `one-way links`, the same in one direction; `ambushes`, the next greeting,
 * hello, welcome, acknowledgement or close is lost, and its connection with it; `stalls`; `refusals` of dials; `slow handshakes`; `crashes` of a server with all that is in its memory; `drains`, a
 * server asks its clients to move and leaves; `dismissals`, a server or a proxy closes a connection with one of many codes; `lost stores`, with every server; `hostile servers`, which break the
 * protocol, at once or in a session that they have welcomed the client to; the device is `offline`, its pages hidden (`hidden pages`) or frozen (`freezes`), it `sleeps`, somebody sets its clock (`clock jumps`); `bad credentials`, refused, failing or hanging;
 * `meddling`, the application pauses and resumes, purges, drains and configures; `closings`, by the application, which connects again; and for the whole run: a `slow network`, a
 * `narrow network` of 20 kB/s, a `slow store`, `slow handlers` on the servers, `restless handlers` on the client, which send, connect and close in the middle of an event, `short credentials`, which have
 * to be renewed on the way, and `little room` in the queue and the socket.
 */
export const FAULTS: readonly FaultKind[] = [...STRIKING, ...TRAITS];

/** How often each fault struck something, by what a history says. */
export function strikesIn(history: string): Partial<Record<FaultKind, number>> {
  const counts: Partial<Record<FaultKind, number>> = {};
  for (const [, kind] of history.matchAll(STRUCK)) counts[kind as FaultKind] = (counts[kind as FaultKind] ?? 0) + 1;
  return counts;
}

/** Lets something go wrong. */
export function strike(kind: keyof typeof STRIKES, stage: Stage, chance: Chance): void {
  stage.history.note(`fault: ${kind}`);
  if (STRIKES[kind](stage, chance) === false) stage.history.note(NOTHING);
}

function onLine(deed: (line: Line, stage: Stage, chance: Chance) => void): Strike {
  return (stage, chance) => {
    const { live } = stage.network;
    if (live.length > 0) deed(chance.pick(live), stage, chance);
    return live.length > 0;
  };
}

function meddle(stage: Stage, chance: Chance, { connection }: Stage['apps'][number]): void {
  const { service, history, book } = stage;
  const deed = chance.pick(['pauses', 'resumes', 'purges', 'drains', 'configures'] as const);
  history.note(`the application ${deed} ${connection.id}`);
  if (deed === 'pauses') connection.pause();
  else if (deed === 'resumes') connection.resume();
  else if (deed === 'purges') {
    book.purged(connection.id);
    connection.purgeQueue(() => chance.happens(0.5));
  } else if (deed === 'drains') connection.drainQueue({ timeoutMs: 1_000 }).catch(() => undefined);
  else {
    const intervalMs = Math.round(chance.between(2_000, LONGEST_HEARTBEAT_MS - 2_000));
    const heartbeat = { intervalMs, timeoutMs: 2_000 };
    service.updateConfig({ services: { simulated: { heartbeat } } });
    stage.heartbeat = heartbeat;
  }
}

// short whiles are as likely as long ones
function forAWhile(
  mostMs: number,
  begin: (stage: Stage, chance: Chance) => unknown,
  end: (stage: Stage) => unknown,
): Strike {
  return (stage, chance) => {
    begin(stage, chance);
    stage.later(chance.pick([0.01, 0.1, 1]) * chance.between(0, mostMs), () => end(stage));
  };
}

type CrashingHost = SimulatedServer | NonNullable<Stage['plain']>;

function hostsOf({ nodes, plain }: Stage): readonly CrashingHost[] {
  return plain ? [plain] : nodes;
}

function crash(stage: Stage, chance: Chance, host: CrashingHost): void {
  const { history, network } = stage;
  history.note(`${host.name} crashes`);
  host.crash();
  stage.appOn(host).crashed();
  network.abandon(host, () => network.cutting(chance).clientNoticesMs);
  stage.later(chance.between(10, 3_000), () => {
    stage.revive(host);
  });
}
