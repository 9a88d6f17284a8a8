import { describe, expect, test } from 'vitest';

import { Outgoing } from '../../src/core/ledger.ts';
import { ClientSession } from '../../src/core/session.ts';
import type { ServerFrame } from '../../src/protocol/frames.ts';

type Welcome = Extract<ServerFrame, { t: 'welcome' }>;

const LIM = { frame: 1_000, inflated: 1_000, win: { m: 10, b: 1_000 } };

function welcome(given: Partial<Welcome> = {}): Welcome {
  const ping = { iv: 1, to: 1 };
  const names = { sid: 's1', tok: 'k1', ep: 'e1', gen: 1 };
  return { t: 'welcome', ...names, resumed: false, rx: 0, top: 0, ttl: 1, caps: [], lim: LIM, ping, now: 0, ...given };
}

function session(): ClientSession<{ bytes: number; n: number }> {
  let names = 0;
  return new ClientSession(new Outgoing(), () => `n${++names}`);
}

function opened(messages = 0): ReturnType<typeof session> {
  const own = session();
  own.welcomed(welcome());
  for (let n = 1; n <= messages; n++) own.outgoing.record({ bytes: 1, n });
  return own;
}

describe('the client of a session', () => {
  test('has nothing to resume at first, and one name for what it wants until a session has it (trap 13)', () => {
    const own = session();
    expect([own.resumption, own.isResumable, own.nonce, own.nonce]).toEqual([undefined, false, 'n1', 'n1']);
    expect(own.welcomed(welcome())).toEqual({ kind: 'opened', lost: null, inDoubt: [] });
    expect([own.isResumable, own.nonce]).toEqual([true, 'n2']);
  });

  test('says of its session what is true of both directions, before the first message as well (trap 4)', () => {
    expect(opened().resumption).toEqual({ sid: 's1', tok: 'k1', ep: 'e1', rx: 0, lo: 1, hi: 0 });
    const own = opened(3);
    own.outgoing.acknowledge(1);
    own.incoming.arrived(1, 2);
    own.incoming.accept(1);
    expect(own.resumption).toMatchObject({ rx: 1, lo: 2, hi: 3 });
  });

  test('resumed, has what the server covers acknowledged, and a new token', () => {
    const own = opened(3);
    const outcome = own.welcomed(welcome({ resumed: true, tok: 'k2', gen: 2, rx: 2 }));
    expect(outcome).toEqual({
      kind: 'resumed',
      acknowledged: [
        { bytes: 1, n: 1 },
        { bytes: 1, n: 2 },
      ],
    });
    expect(own.outgoing.unacknowledged()).toEqual([{ bytes: 1, n: 3 }]);
    expect(own.resumption).toMatchObject({ tok: 'k2', lo: 3, hi: 3 });
  });

  test('refused, begins anew, and leaves in doubt what was not acknowledged', () => {
    const own = opened(2);
    own.incoming.arrived(1, 5);
    own.incoming.acceptAll();
    const outcome = own.welcomed(welcome({ sid: 's2', why: 'expired' }));
    expect(outcome).toMatchObject({ kind: 'opened', lost: 'expired', inDoubt: [{ n: 1 }, { n: 2 }] });
    expect([own.outgoing.next, own.incoming.handed, own.resumption?.sid]).toEqual([1, 0, 's2']);
  });

  test.each<[string, Partial<Welcome>]>([
    ['of another session', { resumed: true, sid: 's2' }],
    ['of another epoch', { resumed: true, ep: 'e2' }],
    ['of more than was ever sent', { resumed: true, rx: 4 }],
    ['of less than was acknowledged before', { resumed: true, rx: 0 }],
    ['of fewer messages than were handed over', { resumed: true, rx: 1, top: 1 }],
    ['of a new session that has messages already', { resumed: false, rx: 1 }],
  ])('takes no welcome that cannot be true: %s', (_what, given) => {
    const own = opened(3);
    own.outgoing.acknowledge(1);
    own.incoming.arrived(1, 2);
    expect(own.welcomed(welcome({ rx: 1, top: 2, ...given }))).toBeNull();
  });

  test('that lost its session says why with the next welcome; one that ended it has nothing to say', () => {
    const lost = opened(1);
    lost.lose('lost');
    expect([lost.isResumable, lost.resumption]).toEqual([false, undefined]);
    expect(lost.welcomed(welcome({ sid: 's2' }))).toMatchObject({ lost: 'lost', inDoubt: [{ n: 1 }] });
    const ended = opened(1);
    expect(ended.end()).toMatchObject([{ n: 1 }]);
    expect(ended.welcomed(welcome({ sid: 's2' }))).toMatchObject({ lost: null, inDoubt: [] });
  });
});
