/** What may still be tried after a failure, and with which wire. */
import type { RecoveryStrategy } from '../src/core/recovery.ts';
import type { ConnectionContext, ConnectionEvent, WireOffer } from './facts.ts';

// what a server answers that does not take what it was asked for; source: PROTOCOL.md, "Close codes"
const OTHER_WIRE: readonly (number | undefined)[] = [400, 426];

/** Whether a strategy is one that needs no waiting, and has not been tried in this episode. */
export function isUntried({ failure, tried }: ConnectionContext, strategy: RecoveryStrategy): boolean {
  return failure?.strategy === strategy && !tried.includes(strategy);
}

/** Whether nothing but the application can help: the table says so, or what it says instead is not to be had. */
export function isBeyondRecovery({ failure, policy, tried, offer }: ConnectionContext): boolean {
  switch (failure?.strategy) {
    case 'manual':
      return true;
    case 'reauthenticate':
      return policy.maxRejections === null;
    case 'renegotiate':
      // a server that wants neither wire: the next offer is made where the one that was refused was not
      return (
        policy.wire !== 'prefer' ||
        (OTHER_WIRE.includes(failure.closure?.status) && offer === 'made' && tried.includes('renegotiate'))
      );
    default:
      return false;
  }
}

/** What an attempt that the server refused says about the next: the name of the subprotocol may have been the reason, or that it was not there. */
export function offerAfterRefusal({ offer, policy }: ConnectionContext, event: ConnectionEvent): WireOffer {
  const refused = ('offer' in event && event.offer) || offer;
  return policy.wire === 'prefer' && refused === 'made' ? 'withheld' : 'made';
}
