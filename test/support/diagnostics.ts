import { vi } from 'vitest';
import type { DiagnosticsOptions, DiagnosticsReport, DiagnosticStep, DiagnosticStepId } from '../../src/diagnosis.ts';
import type { ServiceOptions } from '../../src/options.ts';
import { writeText } from '../../src/protocol/text-frames.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { FakeNodeSocket, FakeSockets } from './fake-socket.ts';
import { srvOf, welcomeOf } from './server-script.ts';
import { fateOf, Rig, type Fate, type RigOptions } from './service.ts';

/** How the hosts of a rig behave, from now on. */
export interface Host {
  /** How long a socket takes to open, in ms; `null`: it never does. */
  opensMs: number | null;
  /** Refuses sockets with this HTTP status instead. */
  status: number | undefined;
  /** Ends sockets at once instead, with these words of the platform. */
  breaks: string | undefined;
  /** Whether it selects holdfast.v1 where that is offered. */
  selects: boolean;
  /** Whether it greets then. */
  greets: boolean;
  /** Whether the platform has protocol pings, as of the next socket. */
  hasPing: boolean;
  /** How long a pong takes, in ms; `null`: none comes. */
  pongMs: number | null;
  /** What its clock shows; by default the time of the rig from its beginning on. */
  peerNow: () => number;
  /** Whether it answers by HTTP; `null`: it never says. */
  answers: boolean | null;
}

/** A service of `ws` whose hosts do everything by themselves, sockets and HTTP alike. */
export class DiagnosticsRig extends Rig<FakeNodeSocket> {
  readonly host: Host;
  /** The requests by HTTP so far. */
  readonly requests: [url: string, init: RequestInit][] = [];

  constructor({ clock = new SimulatedClock(), ...options }: RigOptions = {}) {
    const begunAt = clock.now();
    const host: Host = {
      opensMs: 30,
      status: undefined,
      breaks: undefined,
      selects: true,
      greets: true,
      hasPing: true,
      pongMs: 20,
      peerNow: () => clock.now() - begunAt,
      answers: true,
    };
    super(new FakeSockets(hostedBy(host, clock)), {
      clock,
      fetch: (url, init = {}) => this.#ask(url as string, init),
      ...options,
    });
    this.host = host;
  }

  /** Runs a diagnosis to its end. */
  async diagnosed(target = 'terminal:one', options?: DiagnosticsOptions): Promise<DiagnosticsReport> {
    const run = this.service.runDiagnostics(target, options);
    const fate = fateOf(run);
    await this.passes(() => fate.kind !== 'pending');
    return run;
  }

  /** Begins a diagnosis, and lets everything happen that takes no time. */
  async begun(target = 'terminal:one', options?: DiagnosticsOptions): Promise<Fate<DiagnosticsReport>> {
    const fate = fateOf(this.service.runDiagnostics(target, options));
    await this.settles();
    return fate;
  }

  /** Lets everything happen that takes no time, however many turns it takes. */
  async settles(): Promise<void> {
    await vi.dynamicImportSettled();
    for (let turn = 0; turn < 10; turn++) await this.clock.advanceAsync(0);
  }

  /** Lets time pass, from timer to timer, until something is so; not for more than a minute. */
  async passes(isSo: () => boolean): Promise<void> {
    const end = this.clock.now() + 60_000;
    for (;;) {
      await this.settles();
      const nextMs = this.clock.untilNextMs();
      if (isSo() || nextMs === null || this.clock.now() > end) return;
      await this.clock.advanceAsync(nextMs);
    }
  }

  /** Lets so much time pass, from timer to timer. */
  async after(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    await this.settles();
    for (let nextMs = this.clock.untilNextMs(); nextMs !== null && this.clock.now() + nextMs <= end;) {
      await this.clock.advanceAsync(nextMs);
      await this.settles();
      nextMs = this.clock.untilNextMs();
    }
    await this.clock.advanceAsync(end - this.clock.now());
  }

  #ask(url: string, init: RequestInit): Promise<Response> {
    this.requests.push([url, init]);
    const { answers } = this.host;
    if (answers !== null) return answers ? Promise.resolve(new Response()) : Promise.reject(new TypeError('no answer'));
    return new Promise((_, reject) => {
      init.signal?.addEventListener('abort', () => {
        reject(new DOMException('aborted', 'AbortError'));
      });
    });
  }
}

/** One step of a report. */
export function stepOf({ steps }: DiagnosticsReport, id: DiagnosticStepId): DiagnosticStep {
  const step = steps.find((each) => each.id === id);
  if (!step) throw new Error(`The report has no step ${id}.`);
  return step;
}

/** The verdicts of a report, by step. */
export function verdictsOf({ steps }: DiagnosticsReport): Record<string, string> {
  return Object.fromEntries(steps.map(({ id, verdict }) => [id, verdict]));
}

function hostedBy(host: Host, clock: SimulatedClock): new (url: string, protocols?: string[]) => FakeNodeSocket {
  const later = (ms: number | null, then: () => void): void => {
    if (ms !== null) clock.setTimeout(then, ms);
  };
  return class HostedSocket extends FakeNodeSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols);
      if (!host.hasPing) Object.assign(this, { ping: undefined });
      later(host.opensMs, () => {
        if (!this.isLive) return;
        if (host.status !== undefined) this.refuses(host.status);
        else if (host.breaks === undefined) this.opens();
        else {
          this.errs(host.breaks);
          this.ends(1006);
        }
      });
    }

    override opens(): void {
      if (this.readyState !== 0) return;
      const isSelected = host.selects && this.protocols?.includes('holdfast.v1') === true;
      this.protocol = isSelected ? 'holdfast.v1' : '';
      super.opens();
      if (isSelected && host.greets) this.says(writeText(srvOf()));
    }

    override send(data: string | Uint8Array<ArrayBuffer>): void {
      super.send(data);
      if (this.protocol !== 'holdfast.v1') return;
      const frame = JSON.parse(String(data)) as { t: string; i: number; ts: number };
      if (frame.t === 'hello')
        queueMicrotask(() => {
          this.says(writeText(welcomeOf()));
        });
      if (frame.t === 'ping')
        later(host.pongMs, () => {
          if (this.isLive) this.says(writeText({ t: 'pong', i: frame.i, ts: frame.ts, now: host.peerNow() }));
        });
    }

    override ping(mark?: string): void {
      super.ping(mark);
      later(host.pongMs, () => {
        if (this.isLive) this.controls('pong', mark);
      });
    }
  };
}

/** A rig with one service type, `chat`. */
export function chatting(
  chat: Partial<ServiceOptions> = {},
  host: Partial<Host> = {},
  options: RigOptions = {},
): DiagnosticsRig {
  const r = new DiagnosticsRig({ ...options, services: { chat: { url: 'wss://host/chat', ...chat } } });
  Object.assign(r.host, host);
  return r;
}
