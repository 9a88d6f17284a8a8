import type { LiveSession } from '../../src/server/live-session.ts';
import type { InboundMessage, InboundRequest, MessageOptions } from '../../src/server/message.ts';
import type { Channel } from '../../src/server/surface.ts';
import type { Chance } from '../../src/testing/chance.ts';
import type { Lifetime } from '../../src/testing/lifetime.ts';
import { short, type SessionTruth } from './session-truth.ts';
import { tagOf } from './tags.ts';
import type { Truth } from './truth.ts';

/** The type of a message that an application takes or refuses, as it likes. */
export const DOUBTFUL = 'doubtful';

/** What a handler throws on purpose. */
export class Unwilling extends Error {}

export interface ApplicationOptions {
  /** Of its node. */
  name: string;
  clock: Lifetime;
  chance: Chance;
  truth: Truth;
  acknowledge: 'received' | 'processed';
  /** Whether it takes the messages of a channel one by one, and its time over each. */
  readsSlowly: boolean;
  /** Whether it refuses messages. */
  refuses: boolean;
}

/** What the application of one node does with one session, and the rules for all that it is handed. */
export class Application {
  readonly session: LiveSession;
  readonly #options: ApplicationOptions;
  readonly #known: SessionTruth | undefined;
  readonly #channels = new Set<Channel>();
  // what its node was told to be accepted when it got the session, and what it has had since, by channel
  readonly #base: number;
  readonly #last = new Map<string | undefined, number>();

  constructor(session: LiveSession, options: ApplicationOptions) {
    const { truth, name } = options;
    const { gen } = session.ownership;
    this.session = session;
    this.#options = options;
    this.#known = truth.session(session.id);
    this.#base = this.#known?.rxByGen.get(gen) ?? 0;
    if (session.isInherited) truth.moves += 1;
    truth.history.note(`${name} has session ${short(session.id)} gen ${gen} from ${this.#base} on`);
    this.#serve();
  }

  /** Channels that it may speak on. */
  get channels(): Channel[] {
    return [...this.#channels];
  }

  /** Options for a message that goes anywhere in the session. */
  anywhere(): MessageOptions {
    const { chance } = this.#options;
    const { channels } = this;
    return channels.length > 0 && chance.happens(0.8) ? { channel: chance.pick(channels).name } : {};
  }

  /** Ends a channel. What is in its queue nobody wants any more. */
  close(channel: Channel): void {
    const { truth, name } = this.#options;
    truth.history.note(`${name} ends channel ${channel.name} of ${short(this.session.id)}`);
    this.#known?.bury(channel.name);
    channel.close('enough');
  }

  /** Its node is no more, and with it whatever waited in there. */
  bury(): void {
    this.#known?.bury();
  }

  #serve(): void {
    const { session } = this;
    const { acknowledge } = this.#options;
    session.onMessage((message) => this.#receive(message), { acknowledge });
    session.onRequest((request) => this.#answer(request), { acknowledge });
    session.onChannel((channel) => {
      const { truth, name } = this.#options;
      this.#channels.add(channel);
      truth.holds.opened(name, session.id, channel.name);
      channel.onClosed(() => {
        this.#channels.delete(channel);
        truth.holds.closed(name, session.id, channel.name);
      });
      if (this.#options.readsSlowly) void this.#read(channel);
      else {
        channel.onMessage((message) => this.#receive(message));
        channel.onRequest((request) => this.#answer(request));
      }
    });
  }

  async #receive(message: InboundMessage): Promise<void> {
    this.#take(message);
    const { acknowledge, truth, chance, refuses } = this.#options;
    const tag = tagOf(message.data);
    if (acknowledge === 'processed') {
      await this.#think();
      // it need not be of the same mind the next time
      if (refuses && message.type === DOUBTFUL && chance.happens(0.7)) {
        truth.history.note(`${this.#options.name} refuses ${tag}`);
        truth.upRefused.add(tag);
        throw new Unwilling();
      }
    }
    truth.upAccepted.add(tag);
  }

  async #answer(request: InboundRequest): Promise<string> {
    this.#take(request);
    await this.#think();
    return `re:${tagOf(request.data)}`;
  }

  async #read(channel: Channel): Promise<void> {
    const { clock, chance } = this.#options;
    for await (const message of channel) {
      if (clock.isOver) return;
      this.#take(message);
      if ('reply' in message) message.reply(`re:${tagOf(message.data)}`);
      await clock.pause(chance.between(0, 400));
    }
  }

  #think(): Promise<void> {
    const { clock, chance } = this.#options;
    return clock.pause(chance.happens(0.5) ? chance.between(0, 40) : 0);
  }

  #take({ data, position, key, channel }: InboundMessage): void {
    const { clock, truth, name } = this.#options;
    const { history } = truth;
    const known = this.#known;
    if (clock.isOver) return;
    truth.handovers += 1;
    const tag = tagOf(data);
    history.note(`${name} gets ${tag} at ${String(position)}`);
    if (position === null) {
      history.require(!truth.flitted.has(tag), () => `volatile ${tag} came twice`);
      truth.flitted.add(tag);
      return;
    }
    const sent = known?.up[position - 1];
    history.require(
      sent?.tag === tag && sent.channel === channel,
      () => `${tag} came at ${position}, where ${String(sent?.tag)} was sent`,
    );
    const last = this.#last.get(channel) ?? this.#base;
    history.require(position > last, () => `${name} gets position ${position} after ${last}`);
    for (let missing = last + 1; missing < position; missing++) {
      const other = known?.up[missing - 1];
      const isFine = other && (other.channel !== channel || truth.isSpent(known, missing));
      history.require(isFine === true, () => `${name} gets ${position} after ${last}: ${missing} is missing`);
    }
    this.#last.set(channel, position);
    if (key !== undefined) truth.handedWithKey(name, `${this.session.principal} ${key}`);
    truth.upCounts.set(tag, (truth.upCounts.get(tag) ?? 0) + 1);
    known?.upHad.add(position);
  }
}
