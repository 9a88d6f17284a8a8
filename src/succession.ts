import type { ConnectionEvent } from '../machines/facts.ts';
import { parseUrl } from './address.ts';
import type { Conversation } from './conversation.ts';
import type { Failure } from './core/recovery.ts';
import { within } from './deadline.ts';
import { Endpoint, type Destination, type RequestFacts } from './endpoint.ts';
import { Link } from './link.ts';
import { SUBPROTOCOL } from './protocol/frames.ts';
import type { ServiceSettings } from './settings.ts';
import type { Clock } from './transport/clock.ts';
import type { Address, Transport, TransportEnd, TransportListener } from './transport/transport.ts';
import { constructorFailure } from './verdicts.ts';

export interface SuccessionOptions {
  settings: () => ServiceSettings;
  clock: Clock;
  facts: RequestFacts;
  conversation: Conversation;
  /** Where the server sends its clients; `undefined` for the same place as ever. */
  url: string | undefined;
  /** Which socket of the connection it will be. */
  generation: number;
  /** Opens a socket. May throw. */
  open: (address: Address, listener: TransportListener) => Transport;
  /** The session is on the new socket: it takes the place of the old one. */
  adopt: (link: Link, generation: number) => void;
  /** The adopted socket ended. */
  ended: (end: TransportEnd, generation: number) => void;
  tell: (event: ConnectionEvent) => void;
  /** Hears why no socket can be made, and what a provider threw, if it did. */
  failed: (failed: Failure, cause: unknown) => void;
}

/**
 * A second socket for a session that still has its first one, which goes on when there is none. What keeps it from being made is told; what becomes of it on the
 * way to its welcome leaves no trace.
 */
export class Succession {
  readonly #options: SuccessionOptions;
  readonly #endpoint: Endpoint;
  #link: Link | undefined;
  // what takes back each step that was begun: one may be over before it has said how
  readonly #steps: (() => void)[] = [];
  #isOver = false;
  #isAdopted = false;

  constructor(options: SuccessionOptions) {
    this.#options = options;
    const { settings, clock, facts } = options;
    this.#endpoint = new Endpoint(settings, () => clock.now());
    const { credentialsTimeoutMs } = settings().policy;
    const authorizing = within(
      { clock, timeoutMs: credentialsTimeoutMs, code: 'CREDENTIALS_TIMEOUT' },
      (settled) => this.#endpoint.authorize(facts, 'fresh', settled),
      (refused) => {
        if (refused) this.#unmade(refused);
        else this.#locate();
      },
    );
    this.#steps.push(authorizing);
  }

  /** Nobody wants it any more, unless it was adopted. */
  abandon(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const undo of this.#steps) undo();
    this.#link?.dispose();
  }

  #locate(): void {
    const { settings, clock, facts } = this.#options;
    const locating = within(
      { clock, timeoutMs: settings().policy.urlTimeoutMs, code: 'URL_TIMEOUT' },
      (settled) => this.#endpoint.locate(facts, settled),
      (lost) => {
        const destination = this.#endpoint.take();
        if (lost) this.#unmade(lost);
        else if (destination) this.#dial(destination);
      },
    );
    this.#steps.push(locating);
  }

  #dial({ address, token }: Destination): void {
    const { conversation, generation, open, adopt, tell } = this.#options;
    try {
      this.#link = new Link((listener) => open(offering(this.#elsewhere(address)), listener), {
        opened: (link) => {
          if (!link.transport || this.#isOver) return;
          const negotiation = conversation.negotiate(link, link.transport, {
            auth: token,
            canPing: false,
            isSuccessor: true,
            tell: (event) => {
              if (event.type === 'wire.plain' || event.type === 'negotiation.failed') this.#fail();
              if (event.type !== 'session.welcomed') return;
              this.#isOver = this.#isAdopted = true;
              adopt(link, generation);
              tell({ ...event, type: 'successor.welcomed', generation });
            },
          });
          this.#steps.push(() => {
            negotiation.abandon();
          });
          negotiation.start();
        },
        ended: (end) => {
          if (this.#isAdopted) this.#options.ended(end, generation);
          else this.#fail();
        },
      });
    } catch (cause) {
      this.#unmade(constructorFailure(cause));
    }
  }

  // a token that was sent over TLS is not sent without it because a server says so
  #elsewhere(address: Address): Address {
    const parsed = parseUrl(this.#options.url);
    if (!parsed.ok || (address.url.startsWith('wss:') && !parsed.url.startsWith('wss:'))) return address;
    return { ...address, url: parsed.url };
  }

  #unmade(failed: Failure): void {
    if (this.#isOver) return;
    this.#fail();
    this.#options.failed(failed, this.#endpoint.cause);
  }

  #fail(): void {
    if (this.#isOver) return;
    this.abandon();
    this.#options.tell({ type: 'successor.failed' });
  }
}

/** An address at which holdfast.v1 is offered. Its name stands first: a server that echoes the first name must not echo a secret. */
export function offering({ url, protocols }: Address): Address {
  return { url, protocols: [SUBPROTOCOL, ...protocols.filter((name) => name !== SUBPROTOCOL)] };
}
