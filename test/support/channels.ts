import { Channel } from '../../src/channel.ts';
import type { OutboundMessage } from '../../src/message.ts';
import type { Outbox } from '../../src/outbox.ts';
import { Pool } from '../../src/pool.ts';
import type { FrameFrom } from '../../src/protocol/frames.ts';
import { messageOf, SessionRig } from './session.ts';

/** What an outbox does with what a pool tells it, and nothing else. */
export class OutboxDouble {
  /** What it was told, with the text of the message or how many there were. */
  readonly told: [what: string, of: unknown][] = [];
  readonly outbox = {
    reports: {
      sent: ({ data }: OutboundMessage) => this.told.push(['sent', data]),
      refused: ({ data }: OutboundMessage) => this.told.push(['refused', data]),
      orphaned: ({ data }: OutboundMessage) => this.told.push(['orphaned', data]),
    },
    acknowledged: (messages: readonly OutboundMessage[]) => {
      for (const message of messages) {
        this.told.push(['acknowledged', message.data]);
        message.ended('acknowledged');
      }
    },
    forsake: (messages: readonly OutboundMessage[]) => {
      for (const message of messages) {
        this.told.push(['forsaken', message.data]);
        message.ended('unknown');
      }
      return messages.length;
    },
    received: () => undefined,
  } as unknown as Outbox;
}

/** One connection of a pool: its channel, and all that it is told. */
export class Seat {
  readonly channel: Channel;
  readonly told: unknown[] = [];
  readonly received: unknown[] = [];
  readonly double = new OutboxDouble();

  constructor(name: string) {
    this.channel = new Channel({
      name,
      service: `service ${name}`,
      outbox: this.double.outbox,
      inbox: { receive: (payload) => this.received.push(payload) },
      sessionLost: () => this.told.push('lost'),
    });
    this.connects();
  }

  /** Its connection wants to use it, from now on. */
  connects(): Channel {
    this.channel.link = {
      opened: ({ lost, isResumed }) => {
        this.told.push(lost ? `opened, ${lost.inDoubt} in doubt: ${lost.why}` : isResumed ? 'resumed' : 'opened');
      },
      ended: ({ code, strategy, detail }) => {
        this.channel.link = undefined;
        this.told.push(`${strategy} ${code} ${detail ?? ''}`.trim());
      },
    };
    return this.channel;
  }
}

/** A pool over a session whose sockets are lines, with a carrier of the test. */
export class PoolBench {
  readonly session: SessionRig;
  readonly pool: Pool;
  /** What was asked of the carrier. */
  readonly asked: string[] = [];

  constructor(terms?: ConstructorParameters<typeof SessionRig>[0]) {
    this.session = new SessionRig(terms, (message) => this.pool.holdsBack(message));
    this.pool = new Pool({
      clock: this.session.clock,
      carrier: {
        connect: () => this.asked.push('connect'),
        hurry: () => this.asked.push('hurry'),
        ping: () => false,
        vacate: () => this.asked.push('vacate'),
        release: () => this.asked.push('release'),
      },
    });
  }

  /** The present socket can be used. */
  links(isResumed = false): void {
    const { wire } = this.session;
    this.pool.introduce(wire);
    wire.replay();
    this.pool.linked(wire, isResumed);
  }

  /** The socket is lost, and another takes its place. */
  relinks(): void {
    this.pool.unlinked();
    this.session.moveTo();
    this.links(true);
  }

  /** Connections that use it, by the names of their channels. */
  seats<Names extends string[]>(...names: Names): { [Index in keyof Names]: Seat } {
    const seats = names.map((name) => new Seat(name));
    for (const { channel } of seats) this.pool.join(channel);
    return seats as { [Index in keyof Names]: Seat };
  }

  /** Messages leave by a channel, whatever stands against it. */
  sends({ channel }: Seat, ...texts: string[]): OutboundMessage[] {
    const messages = texts.map((text) => messageOf(text));
    const queue = [...messages];
    this.session.wire.write(() => {
      const message = queue.shift();
      if (message) channel.record(message);
      return message;
    });
    return messages;
  }

  /** The server accepts everything up to a position. */
  acknowledges(position: number): void {
    for (const message of this.session.session.outgoing.acknowledge(position) ?? []) this.pool.acknowledged(message);
    this.pool.relieve();
  }

  get frames(): FrameFrom<'client'>[] {
    return this.session.frames;
  }
}
