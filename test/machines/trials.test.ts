import { describe, expect, test } from 'vitest';

import { initialContext, type ConnectionContext, type ConnectionEvent, type WireOffer } from '../../machines/facts.ts';
import { DEFAULT_POLICY, type WireChoice } from '../../machines/policy.ts';
import { isBeyondRecovery, isUntried, offerAfterRefusal, withRefusal } from '../../machines/trials.ts';
import { closed, closedOnWire, closedWith, connect, inputOf, refusedWith } from '../models/connection-cases.ts';

const knowing = (known: Partial<ConnectionContext>): ConnectionContext => ({ ...initialContext(inputOf()), ...known });
const preferring = { ...DEFAULT_POLICY, wire: 'prefer' } as const;

describe('the offer after a handshake that was refused', () => {
  test.each<[WireChoice, WireOffer, WireOffer]>([
    ['prefer', 'made', 'withheld'],
    ['prefer', 'withheld', 'made'],
    ['required', 'made', 'made'],
    ['required', 'withheld', 'made'],
    ['plain', 'made', 'made'],
    ['plain', 'withheld', 'made'],
  ])('is, where the wire is %s and it was %s, %s', (wire, offer, next) => {
    expect(offerAfterRefusal(knowing({ offer, policy: { ...DEFAULT_POLICY, wire } }), connect)).toBe(next);
  });

  test('goes by what the handshake did, where that was known better', () => {
    const next = (intended: WireOffer, offer: WireOffer): WireOffer =>
      offerAfterRefusal(knowing({ offer: intended, policy: preferring }), closed(1, refusedWith(400), offer));
    expect([next('made', 'withheld'), next('withheld', 'made')]).toEqual(['made', 'withheld']);
  });
});

describe('what was refused', () => {
  test('is known of each wire, once', () => {
    const [made, withheld] = (['made', 'withheld'] as const).map((offer) => closed(1, refusedWith(400), offer));
    const after = (...events: (ConnectionEvent | undefined)[]): WireOffer[] =>
      events.reduce<WireOffer[]>((refused, event = connect) => withRefusal(refused, event), []);
    expect([after(made), after(made, made), after(made, withheld)]).toEqual([['made'], ['made'], ['made', 'withheld']]);
  });

  test('is nothing that went wrong otherwise', () => {
    const events = [closed(1, refusedWith(503), 'made'), closed(1, closedWith(1006)), connect];
    expect(events.flatMap((event) => withRefusal([], event))).toEqual([]);
  });
});

describe('a failure', () => {
  test('is tried at once each time in another way', () => {
    const failure = closedOnWire(4002);
    expect(isUntried(knowing({ failure }), 'renegotiate')).toBe(true);
    expect(isUntried(knowing({ failure, tried: ['renegotiate'] }), 'renegotiate')).toBe(false);
    expect(isUntried(knowing({ failure }), 'reauthenticate')).toBe(false);
  });

  test.each<[string, Partial<ConnectionContext>, boolean]>([
    ['that is left to the application', { failure: closedWith(1008) }, true],
    ['that time heals', { failure: closedWith(1006) }, false],
    ['of the wire, where there is no other', { failure: closedOnWire(4002) }, true],
    ['of the wire, where there is another', { failure: closedOnWire(4002), policy: preferring }, false],
    [
      'of one wire, as long as the other was not refused, whatever was tried',
      { failure: refusedWith(400), policy: preferring, refused: ['withheld'], tried: ['renegotiate'] },
      false,
    ],
    ['of both wires', { failure: refusedWith(426), policy: preferring, refused: ['withheld', 'made'] }, true],
    [
      'of a handshake that was not answered, whatever was refused',
      { failure: { ...refusedWith(400), closure: null }, policy: preferring, refused: ['withheld', 'made'] },
      false,
    ],
    ['of nothing', {}, false],
  ])('%s is beyond recovery: %s', (_what, known, isBeyond) => {
    expect(isBeyondRecovery(knowing(known))).toBe(isBeyond);
  });
});
