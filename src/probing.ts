import { isolated } from './core/isolation.ts';
import type { Link } from './link.ts';
import { encodeWith, type Profile } from './protocol/profile.ts';
import type { ServiceSettings } from './settings.ts';
import type { Transport } from './transport/transport.ts';

export interface ProbeOptions {
  ping: Exclude<ServiceSettings['ping'], 'silence'>;
  profile: Profile;
  /** Hears what the application's `ping` throws: then nothing was asked. */
  failed: (cause: unknown) => void;
}

/** How the links of one connection are asked for signs of life. */
export class Prober {
  readonly #settings: () => Pick<ServiceSettings, 'ping' | 'profile'>;
  readonly #report: (cause: unknown) => void;
  #signsAtProbe = 0;

  /** `report` hears what the application's `ping` throws. */
  constructor(settings: () => Pick<ServiceSettings, 'ping' | 'profile'>, report: (cause: unknown) => void) {
    this.#settings = settings;
    this.#report = report;
  }

  /** Whether there is a form of ping for a link that has just opened, should it speak plain. */
  canProbe(link: Link): boolean {
    this.#signsAtProbe = link.signsOfLife;
    return this.#settings().ping !== 'auto' || (link.transport?.ping ?? null) !== null;
  }

  /** Calls back at the next sign of life, having asked for one: by `ask`, where the wire has a form of its own. @returns Takes that back. */
  probe(link: Link, heard: () => void, ask?: () => void): () => void {
    const { transport } = link;
    if (!transport) return () => undefined;
    const { ping, profile } = this.#settings();
    // a peer that is known to speak is in doubt only if it said nothing since the last time
    const spoke = link.signsOfLife > this.#signsAtProbe;
    this.#signsAtProbe = link.signsOfLife;
    if (!ask && ping === 'silence' && spoke) {
      heard();
      return () => undefined;
    }
    const unhear = link.onceHeard(heard);
    if (ask) ask();
    else if (ping !== 'silence') {
      sendProbe(transport, {
        ping,
        profile,
        failed: (cause) => {
          // a question that was not asked proves nothing: the link is no more in doubt than before
          this.#report(cause);
          heard();
        },
      });
    }
    return unhear;
  }
}

/** Asks the peer of a plain wire for a sign of life, as the application wants it, or else by a protocol ping. */
export function sendProbe(transport: Transport, { ping, profile, failed }: ProbeOptions): void {
  isolated(
    () => {
      if (typeof ping !== 'function') return transport.ping?.();
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
