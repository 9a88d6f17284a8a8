/** What may still be tried after a failure, and with which wire. */
import type { Failure, RecoveryStrategy } from '../src/core/recovery.ts';
import { refusesWire } from '../src/core/recovery-table.ts';
import type { ConnectionContext, ConnectionEvent, WireOffer } from './facts.ts';

// with the name of holdfast.v1, and without it
const OFFERS = 2;

/** Whether a strategy is one that needs no waiting, and has not been tried in this episode. */
export function isUntried({ failure, tried }: ConnectionContext, strategy: RecoveryStrategy): boolean {
  return failure?.strategy === strategy && !tried.includes(strategy);
}

/** Whether nothing but the application can help: the table says so, or what it says instead is not to be had. */
export function isBeyondRecovery({ failure, policy, refused }: ConnectionContext): boolean {
  switch (failure?.strategy) {
    case 'manual':
      return true;
    case 'reauthenticate':
      return policy.maxRejections === null;
    case 'renegotiate':
      // a server that wants neither wire
      return policy.wire !== 'prefer' || (isOfHandshake(failure) && refused.length === OFFERS);
    default:
      return false;
  }
}

/** Which handshakes were refused for what they asked for, with this one. */
export function withRefusal(refused: WireOffer[], event: ConnectionEvent): WireOffer[] {
  if (event.type !== 'socket.closed' || event.offer === undefined || !isOfHandshake(event.failure)) return refused;
  return refused.includes(event.offer) ? refused : [...refused, event.offer];
}

/** What an attempt that the server refused says about the next: the name of the subprotocol may have been the reason, or that it was not there. */
export function offerAfterRefusal({ offer, policy }: ConnectionContext, event: ConnectionEvent): WireOffer {
  const refused = ('offer' in event && event.offer) || offer;
  return policy.wire === 'prefer' && refused === 'made' ? 'withheld' : 'made';
}

function isOfHandshake({ closure }: Failure): boolean {
  return refusesWire(closure?.status);
}
