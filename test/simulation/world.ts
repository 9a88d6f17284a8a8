import { EnhancedWebSocketService } from '../../src/index.ts';
import { silentSignals } from '../../src/transport/signals.ts';
import { SimulatedClock } from '../support/clock.ts';
import { Chance } from './chance.ts';
import { History } from './history.ts';
import { Network } from './network.ts';
import { Node } from './node.ts';
import { Peer } from './peer.ts';
import { SharedStore, type StoreFlaws } from './shared-store.ts';
import { Auditor, type Tampering } from './auditor.ts';
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
  'short lives',
  'little room',
  'small windows',
  'disasters',
] as const;
export type Fault = (typeof FAULTS)[number];

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
  readonly network: Network;
  readonly store: SharedStore;
  readonly nodes: Node[];
  readonly service: EnhancedWebSocketService;
  readonly peers: Peer[] = [];
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
          acknowledge: this.has('slow handlers') ? 'processed' : 'received',
        }),
    );
    const auditor = new Auditor(truth, flaws.tampering ?? {});
    this.network = new Network({
      clock,
      history,
      chance: chance.fork(),
      observer: auditor,
      host: () => this.#host(),
    });
    if (this.has('slow network')) this.network.pace = { least: 20, most: 120 };
    this.service = new EnhancedWebSocketService({
      services: {
        main: {
          url: 'ws://simulated/',
          credentials: ({ connectionId }) => connectionId,
          connectTimeoutMs: 2_000,
          retry: { baseMs: 20, capMs: 400, promptMs: 20, stableMs: 1_000 },
          queue: { maxMessages: 10_000 },
          wire: { use: 'required', windowMessages },
          heartbeat: { intervalMs: 2_000, timeoutMs: 1_000 },
        },
      },
      WebSocket: this.network.WebSocket,
      clock,
      random: chance.fork().draw,
      signals: silentSignals,
      onError: ({ cause }) => {
        history.fail(`the client reports ${String((cause as Error | undefined)?.stack ?? cause)}`);
      },
    });
  }

  has(fault: Fault): boolean {
    return this.faults.has(fault);
  }

  /** Brings everything up and asks for the connections. */
  start(): void {
    for (const node of this.nodes) node.start();
    const { service, truth, chance } = this;
    const count = chance.happens(0.3) ? 2 : 1;
    for (const terminalId of ['a', 'b'].slice(0, count)) {
      const options = { serviceType: 'main', terminalId };
      service.connect(options).catch(() => undefined);
      const { connectionId } = service.getConnections().at(-1) ?? { connectionId: '' };
      this.peers.push(
        new Peer(connectionId, { service, truth, chance: chance.fork(), nextTag: () => String(++this.#tags) }),
      );
    }
  }

  /** Lets time pass, with every turn carried out before the next begins. */
  async pass(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    for (;;) {
      await turn();
      const next = this.clock.untilNextMs();
      if (next === null || this.clock.now() + next > end || this.history.breach !== undefined) break;
      this.clock.advance(next);
    }
    this.clock.advance(Math.max(0, end - this.clock.now()));
    await turn();
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
