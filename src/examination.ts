import { parseUrl } from './address.ts';
import { RoundTrips } from './core/round-trips.ts';
import type { DiagnosticStep, DiagnosticStepId } from './diagnosis.ts';
import type { OutboxLoad } from './fates.ts';
import { inquire, type InquiryOptions } from './inquiry.ts';
import {
  authenticationOf,
  burstOf,
  clockOf,
  closedOf,
  configurationOf,
  credentialsOf,
  CUT_SHORT,
  failedWith,
  figureOf,
  handshakeOf,
  LOST,
  NO_SOCKET,
  OUT_OF_TIME,
  queueOf,
  reachabilityOf,
  refusalOf,
  roundTripsOf,
  subprotocolOf,
  type Offset,
  type Seen,
} from './judgement.ts';
import type { Answered } from './pings.ts';
import { isAnswering } from './reachability.ts';
import type { ConnectionStatus } from './status.ts';
import { offering } from './succession.ts';
import type { Address, TransportEnd } from './transport/transport.ts';
import { monotonicNow } from './transport/clock.ts';
import type { WebSocketConstructor } from './transport/websocket.ts';
import { Visit, type Arrival } from './visit.ts';

/** The connection that is examined, where there is one. */
export interface Patient {
  /** Whether messages flow. */
  readonly isUsable: boolean;
  status(): ConnectionStatus;
  load(): OutboxLoad;
  ping(answered: Answered): boolean;
}

export interface ExaminationOptions extends InquiryOptions {
  patient: Patient | undefined;
  WebSocket: WebSocketConstructor | undefined;
  /** Asks by HTTP whether a host can be reached; `undefined` where the platform cannot. */
  fetch: typeof fetch | undefined;
  isOffline: boolean;
}

/** What pings are sent by. */
interface Pinger {
  ping: (answered: Answered) => boolean;
  /** Aborted when nothing will be answered any more. */
  over: AbortSignal | undefined;
}

const PINGS = 5;
const BURST = 20;
const PING_TIMEOUT_MS = 3_000;

/** One look at everything that a connection needs, from the options to the peer's clock. Yields each step as it is done; never throws. */
export class Examination {
  readonly #options: ExaminationOptions;
  #visit: Visit | undefined;
  #arrival: Arrival | undefined;
  #url: string | undefined;
  #credentials: Seen;
  // what the pings of the live wire said of the peer's clock, against ours
  readonly #offsets: Offset[] = [];

  constructor(options: ExaminationOptions) {
    const { settings } = options;
    this.#options = options;
    this.#credentials = credentialsOf(settings, null);
    const fixed = typeof settings.url === 'function' ? undefined : parseUrl(settings.url);
    if (fixed?.ok) this.#url = fixed.url;
  }

  // what comes later may say more of what comes earlier, and is looked at first
  async *steps(): AsyncGenerator<DiagnosticStep> {
    try {
      yield await this.#step('configuration', () => configurationOf(this.#options));
      const handshake = await this.#step('handshake', () => this.#handshake());
      yield await this.#step('reachability', () => this.#reachability());
      yield handshake;
      yield await this.#step('subprotocol', () => this.#subprotocol());
      const roundTrip = await this.#step('roundTrip', () => this.#roundTrip());
      yield await this.#step('authentication', () => this.#authentication());
      yield roundTrip;
      yield await this.#step('burst', () => this.#burst());
      yield await this.#step('queue', () => queueOf(this.#options, this.#now()));
      yield await this.#step('clock', () => clockOf(this.#offsets));
      await this.#visit?.leave();
    } finally {
      this.#visit?.dispose();
    }
  }

  async #step(id: DiagnosticStepId, look: () => Seen | Promise<Seen>): Promise<DiagnosticStep> {
    const { signal } = this.#options;
    const startedAt = this.#now();
    const seen = signal.aborted ? OUT_OF_TIME : await look();
    const isCut = signal.aborted && seen !== OUT_OF_TIME && seen.verdict !== 'passed';
    const { verdict, detail, facts = {} } = isCut ? CUT_SHORT : seen;
    return { id, verdict, durationMs: figureOf(this.#now() - startedAt), detail, facts };
  }

  async #handshake(): Promise<Seen> {
    const { settings, WebSocket } = this.#options;
    const reason = WebSocket ? this.#reasonToStay() : 'There is no WebSocket.';
    if (reason !== undefined || !WebSocket) return this.#liveHandshake(reason ?? '');
    const startedAt = this.#now();
    const { found, refused } = await inquire(this.#options);
    this.#credentials = credentialsOf(settings, { refused, durationMs: this.#now() - startedAt });
    if ('code' in found) return failedWith(found);
    this.#url = found.url;
    const { choice } = settings.wire;
    this.#arrival = await this.#arrive(choice === 'plain' ? found : offering(found), WebSocket);
    // as any attempt would: the name alone may be what a server refuses. What speaks holdfast.v1 takes it, and may be a terminal
    const isKnown = this.#options.patient?.status().wire === 'holdfast.v1';
    if (choice === 'prefer' && !isKnown && this.#arrival.end) this.#arrival = await this.#arrive(found, WebSocket);
    return handshakeOf(this.#arrival, settings.connectTimeoutMs);
  }

  #arrive(address: Address, WebSocket: WebSocketConstructor): Promise<Arrival> {
    const { clock, signal, settings } = this.#options;
    const { connectTimeoutMs } = settings;
    this.#visit = new Visit({ WebSocket, clock, address, signal, connectTimeoutMs });
    return this.#visit.arrive();
  }

  // why no second socket is opened
  #reasonToStay(): string | undefined {
    const { settings, patient, facts } = this.#options;
    const { choice } = settings.wire;
    // no session begins with a socket there
    if (choice === 'required') return undefined;
    if (choice === 'prefer' && patient?.status().wire === 'holdfast.v1') return undefined;
    if (settings.diagnostics === 'passive') return "The service is not to be visited (`diagnostics: 'passive'`).";
    if (patient?.isUsable) return 'A second socket could disturb what the first one does.';
    const isTerminal = facts.terminalId !== undefined || /terminal|shell/i.test(facts.serviceType);
    if (isTerminal && settings.diagnostics === undefined) return 'A socket to a terminal could start another shell.';
    return undefined;
  }

  #liveHandshake(reason: string): Seen {
    const { patient } = this.#options;
    if (!patient?.isUsable) return { verdict: 'skipped', detail: reason };
    const { generation } = patient.status();
    return { verdict: 'passed', detail: `The live connection is open. ${reason}`, facts: { generation } };
  }

  async #reachability(): Promise<Seen> {
    const { patient, isOffline, fetch } = this.#options;
    if (this.#arrival?.isOpen) return { verdict: 'passed', detail: 'The host answers: a socket opened.' };
    if (patient?.isUsable) return { verdict: 'passed', detail: 'The host answers: the connection is open.' };
    if (isOffline) return { verdict: 'failed', detail: 'The platform says that there is no network.' };
    if (this.#arrival?.end?.status !== undefined)
      return { verdict: 'passed', detail: 'The host answers, and refuses the handshake.' };
    if (!fetch) return { verdict: 'skipped', detail: 'The platform has no way to ask for the host.' };
    if (this.#url === undefined) return { verdict: 'skipped', detail: 'It is not known which host it is.' };
    return reachabilityOf(await isAnswering(this.#url, { ...this.#options, fetch }));
  }

  async #subprotocol(): Promise<Seen> {
    const { settings, patient } = this.#options;
    const { choice } = settings.wire;
    if (!this.#visit || !this.#arrival?.isOpen) {
      const wire = patient?.isUsable ? patient.status().wire : null;
      if (wire === null) return NO_SOCKET;
      return { verdict: 'passed', detail: `The live connection speaks ${wire}.`, facts: { wire } };
    }
    const offered = typeof settings.protocols === 'function' ? undefined : settings.protocols;
    const isGreeted = choice !== 'plain' && (await this.#visit.isGreeted(settings.policy.wireTimeoutMs));
    return subprotocolOf({ choice, protocol: this.#arrival.protocol, offered, isGreeted });
  }

  #authentication(): Seen {
    const { patient, settings } = this.#options;
    if (patient?.isUsable) return { verdict: 'passed', detail: 'The server has let the live connection in.' };
    const end = this.#end;
    const refusal = end && refusalOf(end, { hasOpened: this.#arrival?.isOpen === true, settings });
    return refusal ?? authenticationOf(this.#credentials, patient?.status().lastError);
  }

  // how the server ended the visit, if it did
  get #end(): TransportEnd | undefined {
    return this.#arrival?.isOpen ? this.#visit?.end : (this.#arrival?.end ?? undefined);
  }

  async #roundTrip(): Promise<Seen> {
    const { slowMs } = this.#options.settings;
    const live = this.#live();
    const pinger = this.#pinger();
    const trips = new RoundTrips();
    let asked = 0;
    while (pinger && asked < PINGS) {
      const { sent, rtts } = await this.#answers(pinger, 1);
      asked += sent;
      const [rttMs] = rtts;
      if (rttMs === undefined) break;
      trips.add(rttMs);
    }
    const { summary } = trips;
    if (summary?.samples !== PINGS && live !== this.#live()) return LOST;
    if (live === null && this.#arrival?.isOpen && this.#end) return closedOf(this.#end);
    if (asked > 0) return roundTripsOf(summary, { asked, slowMs });
    return pinger ? { verdict: 'skipped', detail: 'The platform has no ping of its own.' } : NO_SOCKET;
  }

  #pinger(): Pinger | undefined {
    const { patient } = this.#options;
    const visit = this.#visit;
    if (patient?.isUsable) return { ping: (answered) => patient.ping(answered), over: undefined };
    return visit && this.#arrival?.isOpen ? { ping: (answered) => visit.ping(answered), over: visit.over } : undefined;
  }

  // pings, not messages: a burst must not reach the application
  async #burst(): Promise<Seen> {
    const { patient } = this.#options;
    if (!patient?.isUsable || patient.status().wire !== 'holdfast.v1')
      return { verdict: 'skipped', detail: 'Only on an open connection that speaks holdfast.v1.' };
    const live = this.#live();
    const startedAt = this.#now();
    const pinger: Pinger = { ping: (answered) => patient.ping(answered), over: undefined };
    const { sent, rtts } = await this.#answers(pinger, BURST);
    const { length: answered } = rtts;
    if (answered < BURST && live !== this.#live()) return LOST;
    return burstOf({ sent, answered, durationMs: figureOf(this.#now() - startedAt) });
  }

  // sends so many pings at once; gives how many were sent, and the round trips of those that were answered in time
  #answers({ ping, over }: Pinger, count: number): Promise<{ sent: number; rtts: number[] }> {
    const { clock, signal } = this.#options;
    const result = { sent: 0, rtts: [] as number[] };
    return new Promise((resolve) => {
      const done = (): void => {
        clock.clearTimeout(timer);
        for (const each of [signal, over]) each?.removeEventListener('abort', done);
        resolve(result);
      };
      const timer = clock.setTimeout(done, PING_TIMEOUT_MS);
      for (const each of [signal, over]) each?.addEventListener('abort', done);
      const heard: Answered = (rttMs, peerMs) => {
        result.rtts.push(rttMs);
        if (peerMs !== undefined) this.#offsets.push({ offsetMs: peerMs - (this.#now() - rttMs / 2), rttMs });
        if (result.rtts.length === count) done();
      };
      while (result.sent < count && isSent(ping, heard)) result.sent += 1;
      const isOver = [signal, over].some((each) => each?.aborted);
      if (result.sent < count || isOver) done();
    });
  }

  // which socket of the connection is in use
  #live(): number | null {
    const { patient } = this.#options;
    return patient?.isUsable ? patient.status().generation : null;
  }

  #now(): number {
    return monotonicNow(this.#options.clock);
  }
}

// a socket that throws has sent nothing
function isSent(ping: Pinger['ping'], heard: Answered): boolean {
  try {
    return ping(heard);
  } catch {
    return false;
  }
}
