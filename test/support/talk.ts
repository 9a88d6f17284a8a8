import type { ConnectionEvent } from '../../machines/facts.ts';
import { Conversation, type NegotiatingOptions } from '../../src/conversation.ts';
import type { MessageError } from '../../src/errors.ts';
import type { Link } from '../../src/link.ts';
import type { WireOptions } from '../../src/options.ts';
import { writeText } from '../../src/protocol/text-frames.ts';
import { settle, type WireSettings } from '../../src/settings.ts';
import type { TransportListener } from '../../src/transport/transport.ts';
import { Line, OutboxRig } from './outbox.ts';
import { srvOf, welcomeOf, type Srv, type Welcome } from './server-script.ts';
import { linkOver } from './session.ts';

/** One socket of a conversation, with its server at the other end. */
export interface Socket {
  line: Line;
  link: Link;
  peer: TransportListener;
  told: ConnectionEvent[];
}

/** One connection's part in `holdfast.v1` with an outbox under its chart, and sockets that the test makes. */
export class Talk extends OutboxRig {
  readonly conversation: Conversation;
  readonly delivered: unknown[] = [];
  /** The round trips that were measured. */
  readonly measured: number[] = [];
  /** What else was told, by name. */
  readonly heard: string[] = [];
  settings: WireSettings;
  #names = 0;

  constructor(wire: Partial<WireOptions> = {}, resendSafe = false) {
    super({ resendSafe: () => resendSafe });
    const options = { services: { main: { url: 'wss://host/', wire: { use: 'required', ...wire } as const } } };
    this.settings = settle(options).services.get('main')?.wire as WireSettings;
    this.conversation = new Conversation({
      clock: this.clock,
      settings: () => this.settings,
      outbox: this.outbox,
      freshNonce: () => `n${++this.#names}`,
      pool: undefined,
      deliver: (payload) =>
        this.delivered.push(typeof payload === 'object' && 'value' in payload ? payload.value : payload),
      sessionLost: () => this.heard.push('session lost'),
      measured: (rttMs) => this.measured.push(rttMs),
      roundTrips: () => null,
      isWatched: () => true,
      unanswered: ({ timeoutMs }) => this.heard.push(`unanswered, ${timeoutMs} ms left`),
      noticed: ({ t }) => this.heard.push(t),
      violated: ({ closeCode }) => this.heard.push(`violated ${closeCode}`),
      context: { connectionId: 'c', serviceType: 's' },
    });
  }

  /** A socket opens, and its wire is being found out. */
  negotiates(options: Partial<NegotiatingOptions> = {}): Socket {
    const line = new Line();
    line.protocol = 'holdfast.v1';
    const told: ConnectionEvent[] = [];
    const { link, peer } = linkOver(line);
    const tell = (event: ConnectionEvent): void => void told.push(event);
    this.conversation.negotiate(link, line, { auth: undefined, canPing: false, tell, ...options }).start();
    return { line, link, peer, told };
  }

  /** A socket opens, and the server greets. */
  introduces(srv?: Partial<Srv>, options?: Partial<NegotiatingOptions>): Socket {
    const socket = this.negotiates(options);
    socket.peer.received(writeText(srvOf(srv)));
    return socket;
  }

  /** The same, and the server welcomes; what it says from then on is read. */
  welcomes(welcome?: Partial<Welcome>, options?: Partial<NegotiatingOptions>): Socket {
    const socket = this.introduces({}, options);
    socket.peer.received(writeText(welcomeOf(welcome)));
    socket.link.read((data) => {
      this.conversation.receive(data);
    });
    return socket;
  }

  /** The same, and messages leave by it. */
  joins(welcome?: Partial<Welcome>): Socket {
    const socket = this.welcomes(welcome);
    const { wire } = this.conversation;
    if (!wire) throw new Error('There is no session.');
    wire.replay();
    this.tell('attached');
    this.outbox.attach(wire, { isTrusted: true });
    return socket;
  }

  /** The socket is gone. */
  loses(): void {
    this.lose();
    this.conversation.lost();
  }

  /** What became of each message, as the application hears it. */
  get codes(): [code: string, outcome: string][] {
    return this.errors.map(({ code, outcome }: MessageError) => [code, outcome]);
  }
}
