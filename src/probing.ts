import type { Asking } from './access.ts';
import { isolated } from './core/isolation.ts';
import type { Link } from './link.ts';
import { Pings, type Answered } from './pings.ts';
import { encodeWith, type Profile } from './protocol/profile.ts';
import type { ServiceSettings } from './settings.ts';
import { SLOWEST_BYTES_PER_MS, type Vigil } from './silence.ts';
import type { Transport } from './transport/transport.ts';

// however much is under way, a link is not waited for longer than that beside its deadline
const MOST_BURDEN_MS = 30_000;
const STEADY = 3;
const ABANDONED_MS = 10_000;

export interface ProbeOptions {
  ping: Exclude<ServiceSettings['ping'], 'silence'>;
  profile: Profile;
  /** What the pong of a protocol ping is to bring back. */
  mark: string;
  /** Hears what the application's `ping` throws: then nothing was asked. */
  failed: (cause: unknown) => void;
}

export interface ProberOptions {
  settings: () => Pick<ServiceSettings, 'ping' | 'profile'>;
  /** Hears what the application's `ping` throws. */
  report: (cause: unknown) => void;
  /** Now, in ms on a clock that never runs backwards. */
  now: () => number;
  /** A probe was answered: the round trip in ms, or `null` where it cannot be told. */
  measured: (rttMs: number | null) => void;
  /** The link in use. */
  link: () => Link | undefined;
  /** What asks in its place on a wire that has a ping of its own. */
  wire: () => { ping(answered?: Answered): void; readonly vigil: Pick<Vigil, 'owedBytes'> } | undefined;
}

/** How the links of one connection are asked for signs of life. */
export class Prober implements Asking {
  readonly #options: ProberOptions;
  // protocol pings, whose pongs say what they answer
  readonly #pings = new Pings();
  // when the application's own ping went out, and how many of them were not answered: its pong does not say which it answers
  #askedAt: number | undefined;
  #unanswered = 0;
  // how long after the last of them answers came since, and how many in a row got one, and soon
  readonly #answers: number[] = [];
  #steady = 0;
  #signsAtProbe = 0;
  #hasProtocolPing = false;
  // bytes that went out since the peer was last heard, by what it had said then
  #written = 0;
  #signsAtWrite = 0;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  get burdenMs(): number {
    const wire = this.#options.wire();
    const link = this.#options.link();
    // what went out before the peer was last heard has had its time
    const written = link?.signsOfLife === this.#signsAtWrite ? this.#written : 0;
    const sent = wire ? wire.vigil.owedBytes : written;
    const bytes = Math.max(sent, link?.transport?.bufferedBytes ?? 0);
    return Math.min(MOST_BURDEN_MS, Math.floor(bytes / SLOWEST_BYTES_PER_MS));
  }

  wrote(bytes: number): void {
    const signs = this.#options.link()?.signsOfLife ?? 0;
    if (signs !== this.#signsAtWrite) this.#written = 0;
    this.#signsAtWrite = signs;
    this.#written += bytes;
  }

  get canMeasure(): boolean {
    if (this.#options.wire()) return true;
    const { ping, profile } = this.#options.settings();
    return ping === 'auto' ? this.#hasProtocolPing : ping !== 'silence' && profile.isPong !== undefined;
  }

  /** Whether there is a form of ping for a link that has just opened, should it speak plain. */
  canProbe(link: Link): boolean {
    this.#signsAtProbe = link.signsOfLife;
    this.#pings.clear();
    this.#unanswered = 0;
    this.#hasProtocolPing = (link.transport?.ping ?? null) !== null;
    return this.#options.settings().ping !== 'auto' || this.#hasProtocolPing;
  }

  probe(heard: () => void): () => void {
    const link = this.#options.link();
    if (!link?.transport) return () => undefined;
    const { settings, measured } = this.#options;
    const wire = this.#options.wire();
    const { ping, profile } = settings();
    // a peer that is known to speak is in doubt only if it said nothing since the last time
    const spoke = link.signsOfLife > this.#signsAtProbe;
    this.#signsAtProbe = link.signsOfLife;
    const { canMeasure } = this;
    const answered = (): void => {
      heard();
      if (!canMeasure) measured(null);
    };
    if (!wire && ping === 'silence' && spoke) {
      answered();
      return () => undefined;
    }
    const unhear = link.onceHeard(answered);
    if (wire) wire.ping();
    else if (ping !== 'silence') this.#ask(link.transport, { ping, profile, heard });
    return unhear;
  }

  ping(answered: Answered): boolean {
    const wire = this.#options.wire();
    const transport = this.#options.link()?.transport;
    if (wire) wire.ping(answered);
    if (wire || !transport?.ping) return wire !== undefined;
    transport.ping(String(this.#pings.ask(this.#options.now(), answered)));
    return true;
  }

  /** The pong of a protocol ping came, with its mark. */
  ponged(mark: string): void {
    const rttMs = this.#pings.answered(Number(mark), this.#options.now());
    if (rttMs !== null) this.#options.measured(rttMs);
  }

  /**
   * A message came that answers the application's own ping. Which, it does not say: after one that was not answered in time nothing is
   * measured until as many answers have come as were asked for. Source: Karn and Partridge 1987, the rule for retransmitted segments.
   */
  answered(): void {
    if (this.#askedAt === undefined) return;
    const { now, measured } = this.#options;
    const isCertain = this.#unanswered === 1;
    const rttMs = now() - this.#askedAt;
    this.#answers.push(rttMs);
    this.#unanswered = Math.max(0, this.#unanswered - 1);
    if (this.#unanswered === 0) {
      this.#askedAt = undefined;
      this.#answers.length = 0;
    }
    if (isCertain && rttMs >= 0) measured(rttMs);
  }

  // what was not answered for so long never will be; nor was it, where each further one got one answer, and soon
  #isOutOfStep(at: number): boolean {
    const elapsedMs = at - (this.#askedAt ?? at);
    const [answerMs = Infinity, ...more] = this.#answers.splice(0);
    this.#steady = more.length === 0 && answerMs < elapsedMs / 2 ? this.#steady + 1 : 0;
    const isSteady = this.#steady >= STEADY;
    if (isSteady) this.#steady = 0;
    return isSteady || elapsedMs > ABANDONED_MS;
  }

  #ask(
    transport: Transport,
    { ping, profile, heard }: Pick<ProbeOptions, 'ping' | 'profile'> & { heard: () => void },
  ): void {
    const { now, report } = this.#options;
    const isOwn = typeof ping === 'function';
    const askedBefore = this.#askedAt;
    if (isOwn) {
      if (this.#unanswered > 0 && this.#isOutOfStep(now())) this.#unanswered = 0;
      this.#askedAt = now();
      this.#unanswered += 1;
    }
    sendProbe(transport, {
      ping,
      profile,
      mark: isOwn ? '' : String(this.#pings.ask(now())),
      failed: (cause) => {
        if (isOwn) {
          this.#unanswered -= 1;
          this.#askedAt = askedBefore;
        }
        // a question that was not asked proves nothing: the link is no more in doubt than before
        report(cause);
        heard();
      },
    });
  }
}

/** Asks the peer of a plain wire for a sign of life, as the application wants it, or else by a protocol ping. */
export function sendProbe(transport: Transport, { ping, profile, mark, failed }: ProbeOptions): void {
  isolated(
    () => {
      if (typeof ping !== 'function') return transport.ping?.(mark);
      const message = ping();
      // a probe cannot wait for it
      if (message instanceof Promise) return message;
      transport.send(encodeWith(profile, message).data);
      return undefined;
    },
    [],
    failed,
  );
}
