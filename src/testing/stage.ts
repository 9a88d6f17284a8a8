import { createAuditLog, callbackSink, type AuditLog } from '../audit/index.ts';
import { EnhancedWebSocketService } from '../index.ts';
import type { HeartbeatOptions, QueueOptions, RetryOptions, ServiceOptions, WireChoice } from '../index.ts';
import { Book } from './book.ts';
import type { Chance } from './chance.ts';
import { ClientApp } from './client-app.ts';
import { SimulatedClock } from './clock.ts';
import { SimulatedDevice } from './device.ts';
import { History } from './history.ts';
import { HostileServer } from './hostile-server.ts';
import type { Host, Line } from './line.ts';
import { blind, SimulatedNetwork } from './network.ts';
import { PlainServer } from './plain-server.ts';
import { PLANTED } from './payload.ts';
import { ServerApp, SPEECH } from './server-app.ts';
import { SimulatedServer } from './server.ts';
import { SimulatedStore } from './store.ts';

/** What is wrong from the beginning on, until it is calm. */
export const TRAITS = [
  'slow network',
  'narrow network',
  'slow store',
  'slow handlers',
  'restless handlers',
  'short credentials',
  'little room',
] as const;
export type Trait = (typeof TRAITS)[number];

/** How the client's credentials are at present. */
export type CredentialsMood = 'fine' | 'refused' | 'failing' | 'hanging';

export interface StageOptions {
  traits: ReadonlySet<Trait>;
  /** How the client's connections behave, in place of what is drawn. */
  service?: Partial<ServiceOptions> | undefined;
}

const HEARTBEATS: readonly HeartbeatOptions[] = [
  {},
  { intervalMs: 5_000, timeoutMs: 2_000 },
  { intervalMs: 10_000, timeoutMs: 4_000 },
];
/** The longest time from a probe to the end of the next one that the application sets on the way. */
export const LONGEST_HEARTBEAT_MS = 22_000;
const ROOMS: readonly QueueOptions[] = [
  { maxMessages: 10 },
  { maxMessages: 10, overflow: 'drop-oldest' },
  { maxMessages: 10, overflow: 'wait' },
  { highWaterBytes: 3_000, lowWaterBytes: 500 },
];
const RETRIES: readonly RetryOptions[] = [
  {},
  { maxRetries: 3 },
  { baseMs: 20, capMs: 400, promptMs: 20, stableMs: 1_000 },
  { baseMs: 200, capMs: 5_000, promptMs: 100, stableMs: 5_000 },
];
// more of them find little more, and cost as much again
const CONNECTIONS = [1, 1, 1, 2, 3];
const WIRES = ['required', 'required', 'required', 'prefer', 'plain', 'plain'] as const;
const CREDENTIALS_MS = 15_000;
const NEVER = new Promise<never>(() => undefined);

/** Everything of one run: a client on its device, servers and their store, and the network between them, in a time of their own. */
export class Stage {
  readonly clock = new SimulatedClock();
  readonly history = new History(() => this.clock.now());
  readonly chance: Chance;
  readonly #traits: ReadonlySet<Trait>;
  readonly device = new SimulatedDevice(this.clock);
  readonly network: SimulatedNetwork;
  readonly store: SimulatedStore;
  /** Those of `holdfast.v1`; on a plain wire there are none. */
  readonly nodes: readonly SimulatedServer[];
  /** That of a plain wire, if that is what is spoken. */
  readonly plain: PlainServer | null;
  readonly serverApps: readonly ServerApp[];
  readonly service: EnhancedWebSocketService;
  readonly settings: ServiceOptions;
  readonly apps: readonly ClientApp[];
  readonly book: Book;
  /** When the client heard something on a line, the last time, in ms of the run. */
  readonly heardAt = new Map<Line, number>();
  /** The lines of the audit log. */
  readonly audit: string[] = [];
  readonly #log: AuditLog;
  readonly #use: WireChoice;
  readonly #isCramped: boolean;
  /** Whether dials reach somebody who means harm. */
  isHijacked = false;
  credentials: CredentialsMood = 'fine';
  /** As the application has set it last. */
  heartbeat: HeartbeatOptions | false | undefined;
  readonly #hostile: HostileServer;
  #tags = 0;
  #isEnding = false;
  readonly #later = new Set<number>();
  readonly #welcomed = new Set<Line>();

  constructor(chance: Chance, { traits, service = {} }: StageOptions) {
    this.chance = chance;
    this.#traits = traits;
    const { clock, history } = this;
    this.#isCramped = traits.has('little room') || service.queue !== undefined;
    // what is drawn does not depend on what is given: a run with less in it is the same otherwise
    const drawn = chance.pick(WIRES);
    const room = chance.pick(ROOMS);
    const wire = service.wire ?? drawn;
    const use = typeof wire === 'string' ? wire : wire.use;
    this.#use = use;
    const isPlainServer = chance.happens(0.5);
    const isPlain = use === 'plain' || (use === 'prefer' && isPlainServer);
    this.book = new Book(history, use === 'required' ? 'holdfast.v1' : use === 'plain' ? 'plain' : 'either');
    this.store = new SimulatedStore({ clock, chance: chance.fork() });
    if (traits.has('slow store')) this.store.paceMs = 40;
    const apps = ['n1', 'n2'].map((name) => this.#serverApp(name));
    this.serverApps = isPlain ? apps.slice(0, 1) : apps;
    this.plain = isPlain ? new PlainServer('plain', (apps[0] as ServerApp).opened) : null;
    this.nodes = isPlain
      ? []
      : ['n1', 'n2'].map(
          (name, index) =>
            new SimulatedServer({
              name,
              clock,
              chance: chance.fork(),
              store: this.store,
              serve: (life) => (apps[index] as ServerApp).serve(life),
            }),
        );
    const tell = (attack: string): void => {
      history.note(`the hostile server ${attack}`);
    };
    this.#hostile = new HostileServer({ chance: chance.fork(), tell });
    this.network = new SimulatedNetwork({
      clock,
      history,
      device: this.device,
      chance: chance.fork(),
      host: () => this.#host(),
      observer: {
        ...blind,
        arriving: (line, data) => {
          this.heardAt.set(line, history.at);
          if (typeof data === 'string' && data.startsWith('{"t":"welcome"')) this.#welcomed.add(line);
        },
      },
    });
    if (traits.has('slow network')) this.network.pace = { least: 20, most: 150 };
    if (traits.has('narrow network')) this.network.pace = { ...this.network.pace, bytesPerSecond: 20_000 };
    this.settings = {
      url: `ws://simulated/?key=${PLANTED.query}`,
      wire,
      credentials: () => this.#credentials(),
      heartbeat: chance.pick(HEARTBEATS),
      retry: chance.pick(RETRIES),
      queue: traits.has('little room') ? room : {},
      profile: SPEECH,
      ...service,
    };
    this.heartbeat = this.settings.heartbeat;
    this.service = new EnhancedWebSocketService({
      services: { simulated: this.settings },
      WebSocket: this.network.WebSocket,
      clock: this.device.clock,
      random: chance.fork().draw,
      signals: this.device.signals,
      onError: ({ cause }) => {
        history.threw('the client reports', cause);
      },
    });
    // the log outlives the device's odd times: it is the witness
    this.#log = createAuditLog({
      level: 'messages',
      sinks: [callbackSink((lines) => void this.audit.push(...lines))],
      clock,
      random: chance.fork().draw,
      onError: ({ message }) => {
        history.fail(`the audit log reports ${message}`);
      },
    });
    this.#log.attach(this.service);
    this.apps = Array.from({ length: chance.pick(CONNECTIONS) }, (_, index) => this.#clientApp(`t${index + 1}`));
  }

  /** Whether both ends have said all that comes before messages. */
  isLinked(line: Line): boolean {
    return this.#welcomed.has(line) || (line.host === this.plain && line.client.hasOpened);
  }

  /** Whether it is over already. */
  get isBroken(): boolean {
    return this.history.breach !== undefined;
  }

  /** Brings everything up and asks for the connections. */
  start(): void {
    for (const node of this.nodes) node.start();
    for (const app of this.apps) app.connect();
  }

  nextTag(): string {
    return String(++this.#tags);
  }

  /** Something happens later, unless the run has ended. */
  later(ms: number, deed: () => void): void {
    const timer = this.clock.setTimeout(() => {
      this.#later.delete(timer);
      deed();
    }, ms);
    this.#later.add(timer);
  }

  /** What is still to happen does not, and no server starts any more. */
  end(): void {
    this.#isEnding = true;
    for (const timer of this.#later) this.clock.clearTimeout(timer);
  }

  /** The application on a server. */
  appOn(host: SimulatedServer | PlainServer): ServerApp {
    const index = host instanceof PlainServer ? 0 : this.nodes.indexOf(host);
    return this.serverApps[index] as ServerApp;
  }

  /** A server is there again. */
  revive(host: SimulatedServer | PlainServer): void {
    if (!this.#isEnding) host.start();
  }

  /** Lets time pass. */
  pass(ms: number): Promise<void> {
    return this.clock.advanceAsync(ms);
  }

  /** From now on nothing goes wrong, and everybody wants to be connected. */
  calm(): void {
    const { device, network, store, history } = this;
    history.note('from now on it is calm');
    this.isHijacked = false;
    this.credentials = 'fine';
    store.paceMs = 2;
    device.goOnline();
    device.wake();
    device.thaw();
    device.show();
    network.calm();
    network.abandon(this.#hostile, () => 0);
    network.pace = { least: 1, most: 5 };
    this.plain?.start();
    for (const node of this.nodes) node.start();
    for (const app of this.apps) {
      app.calm();
      app.connection.resume();
      // whoever was asked for gets there alone
      if (!app.isWanted || app.connection.status.state === 'failed') app.connect();
    }
  }

  /** Ends the audit log. What it still has to write takes time. */
  closeAudit(): Promise<void> {
    return this.#log.close();
  }

  #serverApp(name: string): ServerApp {
    const { clock, history, book, chance } = this;
    return new ServerApp({
      name,
      clock,
      history,
      book,
      chance: chance.fork(),
      nextTag: () => this.nextTag(),
      isSlow: this.#traits.has('slow handlers'),
      isWelcome: (token) => token === PLANTED.token,
      credentialsMs: this.#traits.has('short credentials') ? CREDENTIALS_MS : Infinity,
    });
  }

  #clientApp(terminalId: string): ClientApp {
    const { service, history, book, chance } = this;
    const whims = chance.fork();
    service.connect({ serviceType: 'simulated', terminalId }).catch(() => undefined);
    return new ClientApp(service.connection(`simulated:${terminalId}`), {
      service,
      history,
      book,
      nextTag: () => this.nextTag(),
      later: (ms, deed) => {
        this.later(ms, () => {
          this.device.run(deed);
        });
      },
      whims: this.#traits.has('restless handlers') ? whims : null,
      asks: this.plain === null,
      isExposed: this.#use !== 'required',
      isCramped: this.#isCramped,
    });
  }

  #credentials(): string | Promise<string> {
    const { credentials } = this;
    if (credentials === 'failing') throw new Error('There are no credentials now.');
    if (credentials === 'hanging') return NEVER;
    return credentials === 'refused' ? 'stale' : PLANTED.token;
  }

  #host(): Host {
    if (this.isHijacked) return this.#hostile;
    if (this.plain) return this.plain;
    const up = this.nodes.filter(({ isUp }) => isUp);
    const { chance, nodes } = this;
    // now and then nobody has told the balancer
    return chance.pick(up.length > 0 && chance.happens(0.9) ? up : nodes);
  }
}
