import { EnhancedWebSocketService, type ConnectOptions, type ServiceOptions } from '../../src/index.ts';
import { silentSignals } from '../../src/transport/signals.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { Auditor, type Tampering } from './auditor.ts';
import { Chance } from '../../src/testing/chance.ts';
import { Hearing } from './hearing.ts';
import { History } from '../../src/testing/history.ts';
import { SimulatedNetwork } from '../../src/testing/network.ts';
import { CARRIER, Node } from './node.ts';
import { Peer } from './peer.ts';
import { SharedStore, type StoreFlaws } from './shared-store.ts';
import { Truth } from './truth.ts';

/** What may go wrong in a run; each seed switches a random half of it off. */
export const FAULTS = [
  'cuts',
  'ambushes',
  'refusals',
  'stalls',
  'losses',
  'crashes',
  'drains',
  'roaming',
  'slow store',
  'slow network',
  'slow handlers',
  'unwilling handlers',
  'slow readers',
  'closings',
  'short lives',
  'little room',
  'small windows',
  'disasters',
] as const;
export type Fault = (typeof FAULTS)[number];

// connections that share a pool
const MEMBERS = ['one', 'two', 'three'] as const;
// three of them fill the queue of a channel
const LARGE_SIZE = 100_000;

/** Ways in which a part of the world may break the protocol on purpose. */
export interface Flaws extends StoreFlaws {
  /** Faults that are on in every run. */
  faults?: readonly Fault[];
  tampering?: Tampering;
}

/** Everything of one run: a client, two nodes, their store and the network between them, in a time of their own. */
export class World {
  readonly clock = new SimulatedClock();
  readonly history = new History(() => this.clock.now());
  readonly truth = new Truth(this.history);
  readonly chance: Chance;
  readonly faults: ReadonlySet<Fault>;
  readonly network: SimulatedNetwork;
  readonly store: SharedStore;
  readonly nodes: Node[];
  readonly service: EnhancedWebSocketService;
  readonly peers: Peer[] = [];
  /** What is heard on the connection that carries the pool. */
  readonly carried: Hearing;
  #tags = 0;

  constructor(seed: number, flaws: Flaws = {}) {
    this.chance = new Chance(seed * 7_919);
    this.faults = new Set([...this.chance.half(FAULTS), ...(flaws.faults ?? [])]);
    const { clock, truth, history, chance } = this;
    const nextTag = (): string => String(++this.#tags);
    const windowMessages = this.has('small windows') ? 4 : 2_048;
    this.store = new SharedStore({
      clock,
      truth,
      flaws,
      chance: chance.fork(),
      maxMessages: this.has('little room') ? 12 : 10_000,
    });
    if (this.has('slow store')) this.store.paceMs = 40;
    this.nodes = ['n1', 'n2'].map(
      (name) =>
        new Node({
          name,
          clock,
          truth,
          store: this.store,
          windowMessages,
          nextTag,
          chance: chance.fork(),
          ttlMs: this.has('short lives') ? 4_000 : 120_000,
          acknowledge: this.has('slow handlers') || this.has('unwilling handlers') ? 'processed' : 'received',
          readsSlowly: this.has('slow readers'),
          refuses: this.has('unwilling handlers'),
        }),
    );
    const auditor = new Auditor(truth, flaws.tampering ?? {});
    this.network = new SimulatedNetwork({
      clock,
      history,
      chance: chance.fork(),
      observer: auditor,
      host: () => this.#host(),
    });
    if (this.has('slow network')) this.network.pace = { least: 20, most: 120 };
    const main: ServiceOptions = {
      url: 'ws://simulated/',
      credentials: ({ connectionId }) => connectionId,
      connectTimeoutMs: 2_000,
      retry: { baseMs: 20, capMs: 400, promptMs: 20, stableMs: 1_000 },
      queue: { maxMessages: 10_000, maxBytes: 100 * LARGE_SIZE },
      wire: { use: 'required', windowMessages },
      heartbeat: { intervalMs: 2_000, timeoutMs: 1_000 },
    };
    const member = { ...main, pool: 'p' };
    this.service = new EnhancedWebSocketService({
      services: { main, one: member, two: member, three: member },
      WebSocket: this.network.WebSocket,
      clock,
      random: chance.fork().draw,
      signals: silentSignals,
      onError: ({ cause }) => {
        history.fail(`the client reports ${String((cause as Error | undefined)?.stack ?? cause)}`);
      },
    });
    this.carried = new Hearing(CARRIER, { service: this.service, truth, principal: CARRIER });
    // it comes when somebody needs it
    this.service.on('status', ({ connectionId, previous }) => {
      if (connectionId === CARRIER && previous === 'idle') this.carried.listen(this.service.connection(CARRIER));
    });
  }

  has(fault: Fault): boolean {
    return this.faults.has(fault);
  }

  /** Brings everything up and asks for the connections. */
  start(): void {
    for (const node of this.nodes) node.start();
    const { chance } = this;
    if (chance.happens(0.4)) {
      for (const serviceType of MEMBERS.slice(0, chance.pick([2, 3]))) this.#connect({ serviceType }, CARRIER);
    } else {
      for (const terminalId of ['a', 'b'].slice(0, chance.happens(0.3) ? 2 : 1))
        this.#connect({ serviceType: 'main', terminalId });
    }
  }

  /** Lets time pass, with every turn carried out before the next begins. @returns How many there were. */
  async pass(ms: number): Promise<number> {
    const end = this.clock.now() + ms;
    for (let turns = 1; ; turns++) {
      await turn();
      const next = this.clock.untilNextMs();
      if (next === null || this.clock.now() + next > end || this.history.breach !== undefined) {
        this.clock.advance(Math.max(0, end - this.clock.now()));
        await turn();
        return turns;
      }
      this.clock.advance(next);
    }
  }

  #connect(options: ConnectOptions, carrier?: string): void {
    const { service, truth, chance } = this;
    service.connect(options).catch(() => undefined);
    const id = [options.serviceType, options.terminalId].filter((part) => part !== undefined).join(':');
    const principal = carrier ?? id;
    const largeSize = this.has('slow readers') && carrier !== undefined ? LARGE_SIZE : 0;
    const nextTag = (): string => String(++this.#tags);
    this.peers.push(new Peer(id, { service, truth, chance: chance.fork(), nextTag, principal, largeSize }));
  }

  #host(): Node {
    const { chance, nodes } = this;
    const up = nodes.filter(({ isUp }) => isUp);
    // now and then nobody has told the balancer
    const candidates = up.length > 0 && chance.happens(0.9) ? up : nodes;
    return (this.has('roaming') ? chance.pick(candidates) : candidates[0]) as Node;
  }
}

/** A whole turn of the event loop: every promise that can settle has. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
