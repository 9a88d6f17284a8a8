import { isolated } from './core/isolation.ts';
import { encodeWith, type Profile } from './protocol/profile.ts';
import type { ServiceSettings } from './settings.ts';
import type { Transport } from './transport/transport.ts';

export interface ProbeOptions {
  ping: Exclude<ServiceSettings['ping'], 'silence'>;
  profile: Profile;
  /** Hears what the application's `ping` throws: then nothing was asked. */
  failed: (cause: unknown) => void;
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
