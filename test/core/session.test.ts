import { describe, expect, test } from 'vitest';

import { Outgoing } from '../../src/core/ledger.ts';
import { ClientSession, type Resumption } from '../../src/core/session.ts';
import { welcomeOf } from '../support/server-script.ts';

interface Item {
  text: string;
}

function begun(welcome?: Parameters<typeof welcomeOf>[0]): ClientSession<Item> {
  const session = fresh();
  session.welcomed(welcomeOf(welcome));
  return session;
}

function fresh(): ClientSession<Item> {
  let names = 0;
  return new ClientSession(new Outgoing<Item>(), () => `n${++names}`);
}

function record({ outgoing }: ClientSession<Item>, ...texts: string[]): void {
  for (const text of texts) outgoing.record({ text }, text.length);
}

describe('a session of a client', () => {
  test('has a name before it is opened, the same until it is (trap 13)', () => {
    const session = fresh();
    expect([session.nonce, session.nonce, session.resumption, session.isResumable, session.isOwed]).toEqual([
      'n1',
      'n1',
      undefined,
      false,
      false,
    ]);
    expect(session.welcomed(welcomeOf())).toEqual({ kind: 'opened', lost: null, inDoubt: [] });
    expect([session.nonce, session.isResumable, session.isOwed]).toEqual(['n2', true, true]);
  });

  test('says what it has: its ticket, what it received, and what is not acknowledged', () => {
    const session = begun({ sid: 's', tok: 't', ep: 'e' });
    expect(session.resumption).toEqual({ sid: 's', tok: 't', ep: 'e', rx: 0, lo: 1, hi: 0 });
    record(session, 'a', 'b', 'c');
    session.outgoing.acknowledge(1);
    session.incoming.arrived(1, 2);
    session.incoming.acceptAll();
    expect(session.resumption).toMatchObject({ rx: 2, lo: 2, hi: 3 });
  });

  test('that goes on forgets what the server has, keeps the rest with its positions, and takes the new token (trap 12)', () => {
    const session = begun();
    record(session, 'a', 'b', 'c');
    expect(session.welcomed(welcomeOf({ resumed: true, tok: 'k2', rx: 2 }))).toEqual({
      kind: 'resumed',
      acknowledged: [{ text: 'a' }, { text: 'b' }],
    });
    expect(session.resumption).toMatchObject({ tok: 'k2', lo: 3, hi: 3 });
  });

  test.each<[string, Parameters<typeof welcomeOf>[0]]>([
    ['another session', { sid: 'other' }],
    ['another history', { ep: 'other' }],
    ['fewer messages given than were received', { top: 1 }],
    ['fewer messages accepted than were acknowledged', { rx: 0 }],
    ['more messages accepted than were sent', { rx: 4 }],
  ])('does not believe a resumption with %s, and stays as it was', (_what, wrong) => {
    const session = begun();
    record(session, 'a', 'b', 'c');
    session.outgoing.acknowledge(1);
    session.incoming.arrived(1, 2);
    session.incoming.acceptAll();
    const before = session.resumption;
    expect(session.welcomed(welcomeOf({ resumed: true, tok: 'k2', rx: 2, top: 2, ...wrong }))).toBeNull();
    expect(session.resumption).toEqual(before);
    expect(session.outgoing.size).toBe(2);
  });

  test('does not believe a resumption that it did not ask for, nor a new session that has something of it', () => {
    const session = fresh();
    expect(session.welcomed(welcomeOf({ resumed: true }))).toBeNull();
    expect(session.welcomed(welcomeOf({ rx: 1 }))).toBeNull();
    expect([session.isResumable, session.nonce]).toEqual([false, 'n1']);
  });

  test('that is refused is lost, with the reason; positions begin anew, and what is left is in doubt', () => {
    const session = begun();
    record(session, 'a', 'b');
    session.outgoing.acknowledge(1);
    session.incoming.arrived(1, 3);
    session.incoming.acceptAll();
    expect(session.welcomed(welcomeOf({ sid: 's2', tok: 'k9', ep: 'e9', why: 'expired' }))).toEqual({
      kind: 'opened',
      lost: 'expired',
      inDoubt: [{ text: 'b' }],
    });
    expect(session.resumption).toEqual({ sid: 's2', tok: 'k9', ep: 'e9', rx: 0, lo: 1, hi: 0 } satisfies Resumption);
  });

  test('that is refused without a reason is unknown', () => {
    expect(begun().welcomed(welcomeOf({ sid: 's2' }))).toMatchObject({ lost: 'unknown' });
  });

  test('lost by word of the server is not asked for, and is told as lost with the next welcome', () => {
    const session = begun();
    record(session, 'a');
    session.lose('lost');
    expect([session.isResumable, session.resumption, session.isOwed]).toEqual([false, undefined, true]);
    expect(session.welcomed(welcomeOf({ sid: 's2' }))).toMatchObject({ lost: 'lost', inDoubt: [{ text: 'a' }] });
    expect(session.welcomed(welcomeOf({ sid: 's3', why: 'epoch' }))).toMatchObject({ lost: 'epoch' });
  });

  test('that there never was cannot be lost', () => {
    const session = fresh();
    session.lose('lost');
    expect([session.isOwed, session.welcomed(welcomeOf())]).toMatchObject([false, { lost: null }]);
  });

  test('ended gives back what it leaves in doubt, and the next begins as the first did', () => {
    const session = begun();
    record(session, 'a', 'b');
    session.incoming.arrived(1, 1);
    expect(session.end().map(({ text }) => text)).toEqual(['a', 'b']);
    expect([session.isResumable, session.isOwed, session.outgoing.next, session.incoming.handed]).toEqual([
      false,
      false,
      1,
      0,
    ]);
    expect(session.welcomed(welcomeOf({ sid: 's2' }))).toEqual({ kind: 'opened', lost: null, inDoubt: [] });
  });
});
