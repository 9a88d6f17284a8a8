import { vi } from 'vitest';
import { Emitter } from '../../src/core/emitter.ts';
import { Incoming, Outgoing } from '../../src/core/ledger.ts';
import { ClientSession } from '../../src/core/session.ts';
import { WireClose } from '../../src/protocol/close-codes.ts';
import { Delivery } from '../../src/server/delivery.ts';
import { Intake } from '../../src/server/intake.ts';
import { Link } from '../../src/server/link.ts';
import { SessionWire } from '../../src/session-wire.ts';
import { getterOf, isClients, methodOf, type Mutation } from './mutation.ts';

/** Each rule on which the promises of the wire rest, switched off alone. */
export const WIRE_MUTATIONS: readonly Mutation[] = [
  { what: 'the store keeps what is accepted after the answer', shows: /\(I2\)/, flaws: { early: 'accept' } },
  { what: 'the store keeps what is sent after the answer', shows: /\(I1\)/, flaws: { early: 'append' } },
  {
    what: 'the store takes writes of former owners',
    shows: /\(I5\)/,
    flaws: { isUnfenced: true, faults: ['roaming', 'drains', 'cuts', 'slow store'] },
  },
  { what: 'the store forgets more than was acknowledged', shows: /\(I3\)|\(I4\)/, flaws: { overTrims: true } },
  { what: 'a session is kept only from its first loss on', shows: /for no reason/, flaws: { keepsLate: true } },
  {
    what: 'the epoch stays the same when history is lost',
    shows: /the store says|given again|for no reason: (gap|ahead)/,
    flaws: { keepsEpoch: true, faults: ['disasters'] },
  },
  {
    what: 'a token is good for one resumption',
    shows: /for no reason: forbidden/,
    flaws: { takesTokenOnce: true, faults: ['ambushes', 'refusals'] },
  },
  {
    what: 'the nonce of a hello says nothing',
    shows: /a second session/,
    flaws: { ignoresNonce: true, faults: ['ambushes', 'cuts'] },
  },
  {
    what: 'the store knows no idempotency key',
    shows: /accepted before/,
    flaws: { forgetsKeys: true, faults: ['short lives', 'roaming'] },
  },
  {
    what: 'the client hands over what it has handed over before',
    shows: /^\S+ gets .* and had up to/,
    flaws: { faults: ['drains', 'roaming', 'slow store'] },
    apply: () => {
      takeAnyway((incoming, skip) => (isClients(incoming) && skip !== null ? 0 : skip));
    },
  },
  {
    what: 'the server hands over what it has handed over before',
    shows: /^n. gets position|where .* was sent/,
    flaws: { faults: ['cuts', 'slow handlers'] },
    apply: () => {
      takeAnyway((incoming, skip) => (!isClients(incoming) && skip !== null ? 0 : skip));
    },
  },
  {
    what: 'the client goes on past a gap',
    shows: /^\S+ gets .* and had up to|the client acknowledges/,
    apply: () => {
      goOnPastGaps(true);
    },
  },
  {
    what: 'the server goes on past a gap',
    shows: /is missing/,
    apply: () => {
      goOnPastGaps(false);
    },
  },
  {
    what: 'the client gives new positions to what it sends again',
    shows: /of the client was/,
    apply: () => {
      const acknowledged = getterOf(Outgoing.prototype, 'acknowledged');
      duringReplay((isReplaying) => {
        vi.spyOn(Outgoing.prototype, 'acknowledged', 'get').mockImplementation(function (this: unknown) {
          return isReplaying() ? 0 : acknowledged.call(this);
        });
      });
    },
  },
  {
    what: 'the client sends nothing again',
    shows: /no rest/,
    apply: () => {
      const unacknowledged = methodOf(Outgoing.prototype as Outgoing<unknown>, 'unacknowledged');
      duringReplay((isReplaying) => {
        const spy = vi.spyOn(Outgoing.prototype as Outgoing<unknown>, 'unacknowledged');
        spy.mockImplementation(function (this: Outgoing<unknown>) {
          return isReplaying() ? [] : unacknowledged.call(this);
        });
      });
    },
  },
  {
    what: 'the server sends nothing again',
    shows: /the server sends \d+ after/,
    apply: () => {
      const attach = methodOf(Delivery.prototype, 'attach');
      vi.spyOn(Delivery.prototype, 'attach').mockImplementation(function (this: Delivery, link, at) {
        attach.call(this, link, { ...at, received: at.top });
      });
    },
  },
  {
    what: 'the server acknowledges one message too many',
    shows: /\(I2\)/,
    apply: () => {
      const tell = methodOf(Intake.prototype, 'tell');
      vi.spyOn(Intake.prototype, 'tell').mockImplementation(function (this: Intake) {
        return tell.call(this) + 1;
      });
    },
  },
  {
    what: 'the client acknowledges one message too many',
    shows: /the client acknowledges/,
    apply: () => {
      const accepted = getterOf(Incoming.prototype, 'accepted');
      vi.spyOn(Incoming.prototype, 'accepted', 'get').mockImplementation(function (this: Incoming) {
        return accepted.call(this) + (isClients(this) ? 1 : 0);
      });
    },
  },
  {
    what: 'the client resumes as if it had received nothing',
    shows: /for no reason: gap|the server sends/,
    apply: () => {
      const resumption = getterOf(ClientSession.prototype, 'resumption');
      vi.spyOn(ClientSession.prototype, 'resumption', 'get').mockImplementation(function (this: ClientSession<never>) {
        const claim = resumption.call(this);
        return claim && { ...claim, rx: 0 };
      });
    },
  },
  {
    what: 'the server listens to the socket that a newer one has replaced',
    shows: /which is not the newest/,
    flaws: { faults: ['drains', 'stalls'] },
    apply: () => {
      const close = methodOf(Link.prototype, 'close');
      vi.spyOn(Link.prototype, 'close').mockImplementation(function (this: Link, code, reason) {
        if (code !== WireClose.replaced) close.call(this, code, reason);
      });
    },
  },
  {
    what: 'the application is not told that its session was lost',
    shows: /was not told|no session was lost/,
    apply: () => {
      const emit = methodOf(Emitter.prototype as Emitter<Record<string, unknown>>, 'emit');
      vi.spyOn(Emitter.prototype as Emitter<Record<string, unknown>>, 'emit').mockImplementation(function (
        this: Emitter<Record<string, unknown>>,
        type,
        event,
      ) {
        if (type !== 'discontinuity') emit.call(this, type, event);
      });
    },
  },
  {
    what: 'what a lost session leaves unacknowledged is forgotten',
    shows: /has no fate|no outcome|accepted/,
    apply: () => {
      const end = methodOf(ClientSession.prototype, 'end');
      vi.spyOn(ClientSession.prototype, 'end').mockImplementation(function (this: ClientSession<never>) {
        end.call(this);
        return [];
      });
    },
  },
];

function takeAnyway(verdict: (incoming: Incoming, skip: number | null) => number | null): void {
  const arrived = methodOf(Incoming.prototype, 'arrived');
  vi.spyOn(Incoming.prototype, 'arrived').mockImplementation(function (this: Incoming, first, count) {
    return verdict(this, arrived.call(this, first, count));
  });
}

function goOnPastGaps(atClient: boolean): void {
  const arrived = methodOf(Incoming.prototype, 'arrived');
  vi.spyOn(Incoming.prototype, 'arrived').mockImplementation(function (this: Incoming, first, count) {
    const skip = arrived.call(this, first, count);
    if (skip !== null || isClients(this) !== atClient) return skip;
    arrived.call(this, this.handed + 1, first + count - 1 - this.handed);
    return 0;
  });
}

function duringReplay(change: (isReplaying: () => boolean) => void): void {
  const replay = methodOf(SessionWire.prototype, 'replay');
  let isReplaying = false;
  vi.spyOn(SessionWire.prototype, 'replay').mockImplementation(function (this: SessionWire) {
    isReplaying = true;
    replay.call(this);
    isReplaying = false;
  });
  change(() => isReplaying);
}
