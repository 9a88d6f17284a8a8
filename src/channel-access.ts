import type { CredentialsNeed, SessionLoss } from '../machines/facts.ts';
import type { Access, Asking, Joined, Tell } from './access.ts';
import { Channel, type ChannelOptions } from './channel.ts';
import { ChannelWire } from './channel-wire.ts';
import { classified, type Failure } from './core/recovery.ts';
import { Endpoint, type RequestFacts, type Settled } from './endpoint.ts';
import { OutboundMessage } from './message.ts';
import type { Pool } from './pool.ts';
import type { EncodedMessage } from './protocol/codec.ts';
import type { ServiceSettings } from './settings.ts';
import { Verdicts } from './verdicts.ts';

export interface ChannelAccessOptions extends Omit<ChannelOptions, 'name'> {
  settings: () => ServiceSettings;
  pool: Pool;
  facts: () => Omit<RequestFacts, 'attemptId'>;
  freshId: () => string;
  /** Epoch ms. */
  now: () => number;
  report: (cause: unknown) => void;
}

const nothing = (): void => undefined;

/** A connection that is a channel of a session that it shares. */
export class ChannelAccess implements Access {
  readonly wasRead = false;
  readonly isSession = true;
  readonly carriesIds = true;
  generation = 0;
  hasGreeted = false;
  // the pool watches its link itself
  readonly asking: Asking = {
    canMeasure: true,
    probe: (heard) => {
      heard();
      return nothing;
    },
    burdenMs: 0,
    wrote: nothing,
    answered: nothing,
    ping: (answered) => this.#options.pool.ping(answered),
  };
  readonly #options: ChannelAccessOptions;
  readonly #endpoint: Endpoint;
  readonly #verdicts: Verdicts;
  #channel: Channel | undefined;
  // what the last channel left in doubt, until there is another
  #loss: SessionLoss | null = null;
  #attemptId = '';
  #tell: Tell = nothing;

  constructor(options: ChannelAccessOptions) {
    this.#options = options;
    this.#endpoint = new Endpoint(options.settings, options.now);
    this.#verdicts = new Verdicts(options.settings, options.report);
  }

  /** Messages that the session keeps for it. */
  get kept(): Channel | undefined {
    return this.#channel;
  }

  get cause(): unknown {
    return this.#endpoint.cause;
  }

  get facts(): RequestFacts {
    return { ...this.#options.facts(), attemptId: this.#attemptId };
  }

  get isLinked(): boolean {
    return this.#channel?.link !== undefined;
  }

  authorize(need: CredentialsNeed, settled: Settled): () => void {
    this.#attemptId = this.#options.freshId();
    return this.#endpoint.authorize(this.facts, need, this.#verdicts.decided(settled));
  }

  // where the pool is, it knows itself
  locate(settled: Settled): () => void {
    settled(null);
    return nothing;
  }

  dial({ generation }: { generation: number }, tell: Tell): void {
    this.generation = generation;
    this.#tell = tell;
    const channel = (this.#channel ??= this.#freshChannel());
    channel.token = this.#endpoint.token;
    channel.link = {
      opened: ({ lost, isResumed }) => {
        // what is known and not said yet is said as soon as there is room
        this.hasGreeted = isResumed && channel.greetings !== undefined;
        tell({ type: 'socket.opened', generation, canPing: false, wire: 'shared', isResumed, lost });
      },
      ended: (failed) => {
        channel.link = undefined;
        // the server ended it for good: the next one is another
        if (failed.code === 'CHANNEL_REFUSED') {
          this.#channel = undefined;
          this.#loss = channel.loss;
        }
        this.#failed(failed);
      },
    };
    this.#options.pool.join(channel);
  }

  negotiate(): () => void {
    return nothing;
  }

  yieldToPlain(): void {
    // the pool has found out already
  }

  succeed(): () => void {
    return nothing;
  }

  renew(): () => void {
    return nothing;
  }

  greet(messages: readonly EncodedMessage[]): void {
    const greetings = messages.map((encoded, number) => OutboundMessage.greeting(encoded, number));
    if (this.#channel) this.#options.pool.greet(this.#channel, greetings);
  }

  join(): Joined | undefined {
    const { pool } = this.#options;
    if (!this.#channel?.link || !pool.wire) return undefined;
    return { wire: new ChannelWire(this.#channel, pool), isTrusted: true };
  }

  read(): void {
    // the pool delivers, whether this connection has a link at the moment or not: the session has
  }

  unread(): void {
    // see read()
  }

  close(code: number, reason: string): void {
    this.end();
    const closure = { code, reason, wasClean: true, initiator: 'local' } as const;
    this.#failed(classified({ code: 'CLOSED_LOCALLY', closure }));
  }

  hangUp(): void {
    if (this.#channel) this.#channel.link = undefined;
  }

  end(): void {
    this.#loss = null;
    const channel = this.#channel;
    if (!channel) return;
    this.#channel = undefined;
    this.#options.outbox.forsake(this.#options.pool.leave(channel));
  }

  #freshChannel(): Channel {
    const channel = new Channel({ name: this.#options.pool.freshName(), ...this.#options });
    channel.loss = this.#loss;
    this.#loss = null;
    return channel;
  }

  #failed(failed: Failure): void {
    this.#tell({ type: 'socket.closed', generation: this.generation, failure: this.#verdicts.decide(failed) });
  }
}
