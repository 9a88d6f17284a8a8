import { failure, type Failure } from './core/recovery.ts';
import { RoundTrips } from './core/round-trips.ts';
import { within, type Deadline } from './deadline.ts';
import type { DiagnosticStep, DiagnosticStepId } from './diagnosis.ts';
import { Endpoint, type RequestFacts, type Settled } from './endpoint.ts';
import type { OutboxLoad } from './fates.ts';
import {
  burstOf,
  clockOf,
  configurationOf,
  handshakeOf,
  OUT_OF_TIME,
  queueOf,
  reachabilityOf,
  roundTripsOf,
  subprotocolOf,
  type Offset,
  type Seen,
} from './judgement.ts';
import type { Answered } from './pings.ts';
import type { ServiceSettings } from './settings.ts';
import type { ConnectionStatus } from './status.ts';
import { offering } from './succession.ts';
import type { Address } from './transport/transport.ts';
import type { Clock } from './transport/clock.ts';
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

export interface ExaminationOptions {
  settings: ServiceSettings;
  facts: RequestFacts;
  patient: Patient | undefined;
  clock: Clock;
  WebSocket: WebSocketConstructor | undefined;
  /** Asks by HTTP whether a host can be reached; `undefined` where the platform cannot. */
  fetch: typeof fetch | undefined;
  isOffline: boolean;
  /** Aborted when there is no more time, or nobody waits any more. */
  signal: AbortSignal;
}

const PINGS = 5;
const BURST = 20;
const PING_TIMEOUT_MS = 3_000;
const FETCH_TIMEOUT_MS = 3_000;
/** Marks the URL of a socket that is there for a diagnosis only; for the server's log, and for whoever counts its clients. */
export const DIAGNOSTICS_MARK = 'holdfast-diagnostics';

/** One look at everything that a connection needs, from the options to the peer's clock. Yields each step as it is done; never throws. */
export class Examination {
  readonly #options: ExaminationOptions;
  readonly #endpoint: Endpoint;
  #visit: Visit | undefined;
  #arrival: Arrival | undefined;
  #credentials: Seen = { verdict: 'skipped', detail: 'There is no credentials provider.' };
  // what the pings of the live wire said of the peer's clock, against ours
  readonly #offsets: Offset[] = [];

  constructor(options: ExaminationOptions) {
    this.#options = options;
    this.#endpoint = new Endpoint(
      () => options.settings,
      () => options.clock.now(),
    );
  }

  async *steps(): AsyncGenerator<DiagnosticStep> {
    try {
      yield await this.#step('configuration', () => configurationOf(this.#options));
      const visited = await this.#step('handshake', () => this.#handshake());
      yield await this.#step('reachability', () => this.#reachability());
      yield visited;
      yield await this.#step('subprotocol', () => this.#subprotocol());
      yield await this.#step('authentication', () => this.#authentication());
      yield await this.#step('roundTrip', () => this.#roundTrip());
      yield await this.#step('burst', () => this.#burst());
      yield await this.#step('queue', () => queueOf(this.#options, this.#now()));
      yield await this.#step('clock', () => clockOf(this.#offsets));
      await this.#visit?.leave();
    } finally {
      this.#visit?.dispose();
    }
  }

  async #step(id: DiagnosticStepId, look: () => Seen | Promise<Seen>): Promise<DiagnosticStep> {
    const startedAt = this.#now();
    const seen: Seen = this.#options.signal.aborted ? OUT_OF_TIME : await look();
    // a step that was cut short saw nothing that counts
    const {
      verdict,
      detail,
      facts = {},
    } = this.#options.signal.aborted && seen.verdict !== 'passed' ? OUT_OF_TIME : seen;
    return { id, verdict, durationMs: Math.round(Math.max(0, this.#now() - startedAt)), detail, facts };
  }

  async #handshake(): Promise<Seen> {
    const { clock, settings, signal, WebSocket } = this.#options;
    const reason = WebSocket ? this.#reasonToStay() : 'There is no WebSocket.';
    if (reason !== undefined || !WebSocket) return this.#liveHandshake(reason ?? '');
    const destination = await this.#destination();
    if ('failed' in destination) {
      const { code } = destination.failed;
      return { verdict: 'failed', detail: `No address was found: ${code}.`, facts: { code } };
    }
    const { connectTimeoutMs } = settings;
    this.#visit = new Visit({ WebSocket, clock, address: destination.address, signal, connectTimeoutMs });
    this.#arrival = await this.#visit.arrive();
    return handshakeOf(this.#arrival, connectTimeoutMs);
  }

  // why no second socket is opened
  #reasonToStay(): string | undefined {
    const { settings, patient, facts } = this.#options;
    if (settings.wire.choice !== 'plain') return undefined;
    if (settings.diagnostics === 'passive') return "The service is not to be visited (`diagnostics: 'passive'`).";
    if (patient?.isUsable) return 'A second socket could disturb what the first one does.';
    if (
      settings.diagnostics === undefined &&
      (facts.terminalId !== undefined || /terminal|shell/i.test(facts.serviceType))
    )
      return 'A socket to a terminal could start another shell.';
    return undefined;
  }

  #liveHandshake(reason: string): Seen {
    const { patient } = this.#options;
    if (!patient?.isUsable) return { verdict: 'skipped', detail: reason };
    const { generation } = patient.status();
    return { verdict: 'passed', detail: `The live connection is open. ${reason}`, facts: { generation } };
  }

  // where the socket goes: the providers are asked as for any attempt, and told what for
  async #destination(): Promise<{ address: Address } | { failed: Failure }> {
    const { facts, settings } = this.#options;
    const startedAt = this.#now();
    const { credentialsTimeoutMs, urlTimeoutMs } = settings.policy;
    const refused = await this.#resolved({ timeoutMs: credentialsTimeoutMs, code: 'CREDENTIALS_TIMEOUT' }, (settled) =>
      this.#endpoint.authorize(facts, 'fresh', settled),
    );
    if (settings.credentials) {
      const durationMs = Math.round(this.#now() - startedAt);
      this.#credentials = refused
        ? {
            verdict: 'failed',
            detail: `The credentials provider failed: ${refused.code}.`,
            facts: { code: refused.code },
          }
        : { verdict: 'passed', detail: `The provider gave credentials after ${durationMs} ms.`, facts: { durationMs } };
    }
    const failed =
      refused ??
      (await this.#resolved({ timeoutMs: urlTimeoutMs, code: 'URL_TIMEOUT' }, (settled) =>
        this.#endpoint.locate(facts, settled),
      ));
    const found = this.#endpoint.take();
    if (failed || !found) return { failed: failed ?? failure('INVALID_URL') };
    const address = typeof settings.url === 'function' ? found.address : marked(found.address);
    return { address: settings.wire.choice === 'plain' ? address : offering(address) };
  }

  // a provider that never answers is not waited for longer than in any attempt, nor beyond the end of the diagnosis
  #resolved(
    { timeoutMs, code }: Pick<Deadline, 'timeoutMs' | 'code'>,
    step: (settled: Settled) => () => void,
  ): Promise<Failure | null> {
    const { clock, signal } = this.#options;
    return new Promise((resolve) => {
      const cut = (): void => {
        abandon();
        resolve(failure(code));
      };
      const abandon = within({ clock, timeoutMs, code }, step, (failed) => {
        signal.removeEventListener('abort', cut);
        resolve(failed);
      });
      signal.addEventListener('abort', cut);
      if (signal.aborted) cut();
    });
  }

  async #reachability(): Promise<Seen> {
    const { patient, isOffline, fetch, settings } = this.#options;
    if (this.#arrival?.isOpen) return { verdict: 'passed', detail: 'The host answers: a socket opened.' };
    if (patient?.isUsable) return { verdict: 'passed', detail: 'The host answers: the connection is open.' };
    if (isOffline) return { verdict: 'failed', detail: 'The platform says that there is no network.' };
    if (this.#arrival?.end?.status !== undefined)
      return { verdict: 'passed', detail: 'The host answers, and refuses the handshake.' };
    if (!fetch || typeof settings.url === 'function')
      return { verdict: 'skipped', detail: 'There is no way to ask for the host here.' };
    return reachabilityOf(await this.#asked(fetch, String(settings.url)));
  }

  async #asked(fetch: typeof globalThis.fetch, url: string): Promise<boolean> {
    const { clock, signal } = this.#options;
    const controller = new AbortController();
    const abort = (): void => {
      controller.abort();
    };
    const timer = clock.setTimeout(abort, FETCH_TIMEOUT_MS);
    signal.addEventListener('abort', abort);
    try {
      const { origin } = new URL(url.replace(/^ws/i, 'http'));
      await fetch(`${origin}/`, {
        method: 'HEAD',
        mode: 'no-cors',
        credentials: 'omit',
        redirect: 'manual',
        signal: controller.signal,
      });
      return true;
    } catch {
      return false;
    } finally {
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  }

  async #subprotocol(): Promise<Seen> {
    const { settings, patient } = this.#options;
    const { choice } = settings.wire;
    if (!this.#visit || !this.#arrival?.isOpen) {
      const wire = patient?.isUsable ? patient.status().wire : null;
      if (wire === null) return { verdict: 'skipped', detail: 'No socket is open.' };
      return { verdict: 'passed', detail: `The live connection speaks ${wire}.`, facts: { wire } };
    }
    const isGreeted = choice !== 'plain' && (await this.#visit.isGreeted(settings.policy.wireTimeoutMs));
    return subprotocolOf({ choice, protocol: this.#arrival.protocol ?? '', isGreeted });
  }

  #authentication(): Seen {
    const { patient } = this.#options;
    const status = patient?.status();
    if (status && patient?.isUsable) return { verdict: 'passed', detail: 'The server has let the live connection in.' };
    const { category, code } = status?.lastError ?? {};
    if (category === 'authentication_failed' || category === 'permission_denied')
      return {
        verdict: 'failed',
        detail: `The last attempt was refused: ${code ?? category}.`,
        facts: { code: code ?? null },
      };
    const { verdict } = this.#credentials;
    if (verdict !== 'passed') return this.#credentials;
    return {
      ...this.#credentials,
      verdict: 'warning',
      detail: `${this.#credentials.detail} Whether the server takes them is known once a connection is open.`,
    };
  }

  async #roundTrip(): Promise<Seen> {
    const ping = this.#pinger();
    if (!ping) return { verdict: 'skipped', detail: 'There is no form of ping for a link that is open.' };
    const trips = new RoundTrips();
    for (let count = 0; count < PINGS; count++) {
      const [rttMs] = await this.#answers(ping, 1);
      if (rttMs === undefined) break;
      trips.add(rttMs);
    }
    return roundTripsOf(trips.summary, { asked: PINGS, slowMs: this.#options.settings.slowMs });
  }

  // pings, not messages: a burst must not reach the application
  async #burst(): Promise<Seen> {
    const { patient } = this.#options;
    if (!patient?.isUsable || patient.status().wire !== 'holdfast.v1')
      return { verdict: 'skipped', detail: 'Only on an open connection that speaks holdfast.v1.' };
    const startedAt = this.#now();
    const answered = await this.#answers((heard) => patient.ping(heard), BURST);
    const durationMs = Math.round(this.#now() - startedAt);
    return burstOf({ sent: BURST, answered: answered.length, durationMs });
  }

  #pinger(): ((answered: Answered) => boolean) | undefined {
    const { patient } = this.#options;
    if (patient?.isUsable) return (answered) => patient.ping(answered);
    const visit = this.#visit;
    return visit?.canPing ? (answered) => visit.ping(answered) : undefined;
  }

  // sends so many pings at once. @returns The round trips of those that were answered in time
  #answers(ping: (answered: Answered) => boolean, count: number): Promise<number[]> {
    const { clock, signal } = this.#options;
    const rtts: number[] = [];
    return new Promise((resolve) => {
      const done = (): void => {
        clock.clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve(rtts);
      };
      const timer = clock.setTimeout(done, PING_TIMEOUT_MS);
      signal.addEventListener('abort', done);
      const heard: Answered = (rttMs, peerMs) => {
        rtts.push(rttMs);
        if (peerMs !== undefined) this.#offsets.push({ offsetMs: peerMs - (this.#now() - rttMs / 2), rttMs });
        if (rtts.length === count) done();
      };
      const isSent = Array.from({ length: count }, () => ping(heard)).every(Boolean);
      if (!isSent || signal.aborted) done();
    });
  }

  #now(): number {
    const { clock } = this.#options;
    return clock.monotonicNow?.() ?? clock.now();
  }
}

function marked({ url, protocols }: Address): Address {
  const address = new URL(url);
  address.searchParams.set(DIAGNOSTICS_MARK, '1');
  return { url: address.href, protocols };
}
