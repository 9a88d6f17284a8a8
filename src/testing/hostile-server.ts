import type { ServerSocket, SocketEvents } from '../server/index.ts';
import type { Chance } from './chance.ts';
import { GREETING, helloIn, HostileSession } from './hostile-session.ts';
import type { Host } from './line.ts';

type Attack = (socket: ServerSocket, chance: Chance) => void;

// some of them a server may not send, and all of them arrive
const CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 3000, 4001, 4003, 4201, 4301, 4409, 4999];
const HUGE = 1_100_000;
// for how long it behaves
const PATIENCE = ['none', 'none', 'until it has greeted', 'until it has welcomed', 'until it has welcomed'] as const;

/** What it does, by name. Nothing of it is a frame that a client of `holdfast.v1` may believe. */
const ATTACKS = {
  'says nothing': () => undefined,
  'closes at once': (socket, chance) => {
    socket.close(chance.pick(CODES), chance.pick(['', 'go away', '\u0000\u001b[31m', 'x'.repeat(123)]));
  },
  'ends without a word': (socket) => {
    socket.terminate();
  },
  'sends noise': (socket, chance) => {
    const bytes = new Uint8Array(chance.below(300));
    chance.fill(bytes);
    socket.send(bytes);
  },
  'sends text that is no JSON': (socket, chance) => {
    socket.send(chance.pick(['', '{', '"', 'null', '[]', '{"t":', '\ud800', '1e999', '{"t":"m"']));
  },
  'welcomes without a session': (socket, chance) => {
    socket.send(
      chance.pick([
        '{"t":"welcome"}',
        '{"t":"welcome","v":1,"sid":1,"gen":-1,"rx":"many"}',
        '{"t":"welcome","__proto__":{"resumed":true}}',
        `{"t":"welcome","sid":"${'s'.repeat(10_000)}"}`,
      ]),
    );
  },
  'acknowledges what was never sent': (socket, chance) => {
    socket.send(`{"t":"ack","a":${chance.pick([1, 999, -1, 2 ** 60])}}`);
  },
  'speaks before the greeting': (socket) => {
    for (let position = 1; position < 20; position++) socket.send(`{"t":"m","s":${position},"b":[{"d":"hostile"}]}`);
  },
  'sends a huge frame': (socket) => {
    socket.send('{"t":"m","s":1,"b":["'.padEnd(HUGE, 'x'));
  },
  'floods with frames': (socket) => {
    for (let count = 0; count < 200; count++) socket.send(`{"t":"pong","i":${count}}`);
  },
  'claims to be another version': (socket) => {
    socket.send('{"t":"srv","v":[99],"x":"holdfast.v99"}');
  },
} satisfies Record<string, Attack>;

export interface HostileServerOptions {
  chance: Chance;
  /** Hears what it does to whom. */
  tell?: (attack: string) => void;
}

/** A host that takes every socket and breaks every protocol, in one of many ways each; at once, or once it is trusted. */
export class HostileServer implements Host {
  readonly name = 'hostile';
  readonly isUp = true;
  readonly protocol = 'holdfast.v1';
  readonly #options: HostileServerOptions;

  constructor(options: HostileServerOptions) {
    this.#options = options;
  }

  accept(socket: ServerSocket): SocketEvents {
    const { chance, tell } = this.#options;
    const attack = (): void => {
      const name = chance.pick(Object.keys(ATTACKS) as (keyof typeof ATTACKS)[]);
      tell?.(name);
      ATTACKS[name](socket, chance);
    };
    let left = chance.below(4);
    let session: HostileSession | undefined;
    const patience = chance.pick(PATIENCE);
    if (patience === 'none') attack();
    else socket.send(GREETING);
    return {
      // it answers with more of the same
      received: (data) => {
        const hello = patience === 'until it has welcomed' && !session ? helloIn(data) : null;
        if (hello) {
          tell?.('welcomes');
          session = new HostileSession(socket, hello, chance);
          session.welcome();
          session.speak();
        } else if (left-- > 0) {
          if (session) session.attack(tell);
          else attack();
        }
      },
      closed: () => undefined,
      heard: () => undefined,
    };
  }
}
