import type { ServerSocket } from '../server/index.ts';
import type { Chance } from './chance.ts';
import { HOSTILE } from './payload.ts';

const MOST = Number.MAX_SAFE_INTEGER;
const WINDOW = { m: 2_048, b: 1_048_576 };
// no client of a simulation sends so many messages
const NEVER_SENT = 1_000_000;
const HUGE = 1_100_000;
// some that nobody could wait for, and one that nobody could be in time for
const TIMES = [0, 1, 2 ** 31, 2 ** 32 + 1, MOST];
const LIMITS = { frame: 262_144, inflated: 1_048_576, win: WINDOW };
const PING = { iv: 25_000, to: 10_000 };
const NOTHING = { m: 0, b: 0 };
const FOUL = JSON.stringify(HOSTILE.foul);

/** As an honest server begins. */
export const GREETING = JSON.stringify({
  t: 'srv',
  v: [1],
  node: 'hostile',
  caps: [],
  lim: LIMITS,
  ping: PING,
  now: 0,
});

/** As much of a hello as counts here. */
interface Hello {
  t: 'hello';
  resume?: { sid: string; rx: number; lo: number };
}

type Attack = (session: HostileSession, chance: Chance) => void;

/** What it does, by name, once it has welcomed somebody as an honest server does. What follows the welcome is not what was agreed on. */
const ATTACKS = {
  'acknowledges what nobody sent': ({ socket, given }, chance) => {
    const a = chance.pick([NEVER_SENT, MOST]);
    socket.send(
      chance.pick([
        `{"t":"ack","a":${a}}`,
        `{"t":"ping","i":1,"ts":0,"a":${a}}`,
        `{"t":"pong","i":1,"ts":0,"now":0,"a":${a}}`,
        `${given + 1},${a}[${FOUL}]`,
      ]),
    );
  },
  'leaves positions out': ({ socket, given }, chance) => {
    const position = chance.pick([given + 2, given + NEVER_SENT, MOST]);
    socket.send(chance.pick([`${position}[${FOUL}]`, `{"t":"m","s":${position},"b":[{"d":${FOUL}}]}`]));
  },
  'gives a position twice': (session) => {
    const position = session.speak();
    session.socket.send(`${position}[${FOUL}]`);
    // the second of these is in its place
    session.given += 1;
    session.socket.send(`${position}[${FOUL},${JSON.stringify(HOSTILE.fair)}]`);
  },
  'refuses what nobody sent': ({ socket }, chance) => {
    const s = chance.pick([NEVER_SENT, MOST]);
    socket.send(
      chance.pick([
        `{"t":"nack","s":${s},"c":"NO","m":"no","temp":false,"out":"rejected"}`,
        `{"t":"nack","s":1,"e":${s},"c":"NO","m":"no","temp":false,"out":"rejected"}`,
        '{"t":"nack","k":["never sent"],"c":"NO","m":"no","temp":true,"ra":9007199254740991,"out":"unknown"}',
      ]),
    );
  },
  'welcomes a second time': (session) => {
    session.welcome();
  },
  'sends a frame larger than agreed': ({ socket }) => {
    socket.send(`{"t":"v","b":[{"d":${FOUL}}],"x":"`.padEnd(HUGE, 'x').concat('"}'));
  },
  'compresses what was to be left as it is': ({ socket, given }) => {
    socket.send(stored(`${given + 1}[${FOUL}]`));
  },
  'answers what nobody asked': ({ socket }, chance) => {
    const [i, ts] = [chance.pick([0, 1, MOST]), chance.pick([0, MOST, 1e300])];
    for (let count = 0; count < 50; count++) socket.send(`{"t":"pong","i":${i},"ts":${ts},"now":${ts}}`);
  },
  'holds everything back': ({ socket }, chance) => {
    const frame = chance.pick([
      { t: 'flow', w: NOTHING },
      { t: 'ack', a: 0, w: NOTHING },
    ]);
    for (let count = 0; count < 50; count++) socket.send(JSON.stringify(frame));
  },
  'asks to move at impossible times': ({ socket }, chance) => {
    for (let count = chance.below(4); count >= 0; count--)
      socket.send(`{"t":"away","in":${chance.pick(TIMES)},"spread":${chance.pick(TIMES)}}`);
  },
  'says goodbye, and stays': (session, chance) => {
    session.socket.send(`{"t":"bye","keep":${chance.pick(['true', 'false'])}}`);
    session.speak();
  },
  'asks for credentials at impossible times': ({ socket }, chance) => {
    for (let count = 0; count < 10; count++) socket.send(`{"t":"auth","need":true,"in":${chance.pick(TIMES)}}`);
  },
} satisfies Record<string, Attack>;

/** What may be done in a session that was opened properly. */
export type SessionAttack = keyof typeof ATTACKS;
export const SESSION_ATTACKS = Object.keys(ATTACKS) as SessionAttack[];

/** A session that a hostile server has opened as an honest one does, or claims to have from another, and what it does in it. */
export class HostileSession {
  readonly socket: ServerSocket;
  /** The last position that it gave. */
  given: number;
  readonly #resume: Hello['resume'];
  readonly #chance: Chance;

  constructor(socket: ServerSocket, { resume }: Hello, chance: Chance) {
    this.socket = socket;
    this.#chance = chance;
    // a client cannot know whether a server has the session that it asks for
    this.#resume = chance.happens(0.5) ? resume : undefined;
    this.given = this.#resume?.rx ?? 0;
  }

  /** A proper welcome, that acknowledges nothing. */
  welcome(): void {
    const resume = this.#resume;
    const name = String(this.#chance.below(2 ** 31));
    this.socket.send(
      JSON.stringify({
        t: 'welcome',
        sid: resume?.sid ?? `hostile-${name}`,
        tok: `hostile-${name}`,
        ep: 'hostile',
        gen: 1,
        resumed: resume !== undefined,
        ...(resume ? {} : { why: 'unknown' }),
        rx: resume ? resume.lo - 1 : 0,
        top: this.given,
        ttl: 120_000,
        caps: [],
        lim: LIMITS,
        ping: PING,
        now: 0,
      }),
    );
  }

  /** Says something that is in its place. @returns Its position. */
  speak(): number {
    this.given += 1;
    this.socket.send(`${this.given}[${JSON.stringify(HOSTILE.fair)}]`);
    return this.given;
  }

  /** Does something that was not agreed on. `tell` hears what it is, before it is done. */
  attack(tell?: (attack: SessionAttack) => void, name = this.#chance.pick(SESSION_ATTACKS)): void {
    tell?.(name);
    ATTACKS[name](this, this.#chance);
  }
}

/** A frame that asks for a session; `null` for any other. */
export function helloIn(data: string | ArrayBuffer): Hello | null {
  return typeof data === 'string' && data.startsWith('{"t":"hello"') ? (JSON.parse(data) as Hello) : null;
}

// deflate has a form for what is not made smaller
function stored(text: string): Uint8Array<ArrayBuffer> {
  const inside = new TextEncoder().encode(text);
  const { length } = inside;
  return new Uint8Array([2, 1, length, 1, length, 0, ~length & 0xff, 0xff, ...inside]);
}
