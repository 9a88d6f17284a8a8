import { describe, expect, test } from 'vitest';

import { Account, type Wire } from '../support/account.ts';

describe('what a client sends', () => {
  test('is well when it is had in order and acknowledged', () => {
    const account = new Account().up('a b').had('a b').told('a', 'acknowledged').told('b', 'acknowledged');
    account.book.close();
    expect([account.breach, account.book.size, account.book.open]).toEqual([undefined, 2, null]);
  });

  test('is open until its fate is told', () => {
    const account = new Account().up('a b');
    expect(account.book.open).toBe('a');
    account.told('a', 'not_sent');
    expect(account.book.open).toBe('b');
    account.told('b', 'not_sent');
    expect([account.book.open, account.breach]).toEqual([null, undefined]);
  });

  test('has one fate', () => {
    const account = new Account().up('a').had('a').told('a', 'acknowledged');
    expect(account.breach).toBeUndefined();
    expect(account.told('a', 'unknown').breach).toBe('a is unknown, and was acknowledged before');
  });

  test('has a fate at the end', () => {
    const account = new Account().up('a');
    account.book.close();
    expect(account.breach).toBe('nobody was told what became of a');
  });

  test('is of no concern where the book does not know it, but for who gets it', () => {
    const account = new Account().told('a', 'acknowledged');
    expect(account.breach).toBeUndefined();
    expect(account.had('a').breach).toBe('n1 gets a, which nobody sent');
  });

  test('was had when it is acknowledged', () => {
    expect(new Account().up('a').told('a', 'acknowledged').breach).toBe('a is acknowledged, and no application had it');
  });

  test('is acknowledged once an application is through with it, where one works on it', () => {
    const early = new Account().up('a').had('a');
    early.book.worksOn('a');
    expect(early.told('a', 'acknowledged').breach).toBe('a is acknowledged, and no application is through with it');
    const account = new Account().up('a b').had('a b');
    account.book.worksOn('unheard of')();
    const done = account.book.worksOn('a');
    expect(account.told('b', 'acknowledged').breach).toBeUndefined();
    done();
    // another may have begun before it was known
    account.book.worksOn('a');
    expect(account.told('a', 'acknowledged').breach).toBeUndefined();
  });

  test('was not had, and is not had later, when it was not sent', () => {
    const before = new Account().up('a').had('a').told('a', 'not_sent');
    before.book.close();
    expect(before.breach).toBe('a was not sent, and is had');
    const later = new Account().up('a').told('a', 'not_sent');
    expect(later.breach).toBeUndefined();
    expect(later.had('a').breach).toBe('n1 gets a, which was not sent');
  });

  test('is had once at one place', () => {
    for (const mayRepeat of [false, true]) {
      const account = new Account().up('a', { mayRepeat, lane: null }).had('a');
      account.book.moved('');
      expect(account.had('a').breach).toBe('n1 gets a, which n1 had');
    }
  });

  test('is had at another place only once the session has moved since, or if it may be repeated where nobody knows its key', () => {
    const known = { mayRepeat: true, lane: null };
    expect(new Account().up('a').had('a').had('a', 'n2').breach).toBe('n2 gets a, which n1 had');
    expect(new Account().up('a', known).had('a').had('a', 'n2').breach).toBe('n2 gets a, which n1 had');
    for (const wire of ['plain', 'either'] as const)
      expect(new Account(wire).up('a', known).had('a').had('a', 'n2').breach).toBeUndefined();
    const before = new Account().up('a');
    before.book.moved('');
    expect(before.had('a').had('a', 'n2').breach).toBe('n2 gets a, which n1 had');
    const moved = new Account().up('a').had('a');
    moved.book.moved('');
    expect(moved.had('a', 'n2').breach).toBeUndefined();
    expect(moved.had('a', 'n2').breach).toBe('n2 gets a, which n1 and n2 had');
  });

  test('is had in another session only if it may be repeated, and by nobody once it is acknowledged', () => {
    const twice = (mayRepeat: boolean): Account => {
      const account = new Account();
      account.book.begins('n1', 's');
      account.book.begins('n2', 't');
      return account.up('a', { mayRepeat, lane: null }).had('a').had('a', 'n2');
    };
    expect(twice(true).breach).toBeUndefined();
    expect(twice(false).breach).toBe('n2 gets a, which n1 had');
    const done = new Account().up('a').had('a').told('a', 'acknowledged');
    done.book.moved('');
    expect(done.had('a', 'n2').breach).toBe('n2 gets a, which is acknowledged');
  });

  test('may be had again, in whatever order, by a server that does not know yet that another has its session', () => {
    const taken = (passMs: number, newer = 's'): Account => {
      const account = new Account();
      account.book.begins('n1', 's');
      account.clock.advance(10_000);
      account.book.begins('n2', newer);
      account.clock.advance(passMs);
      return account.up('a').had('a', 'n2');
    };
    expect(taken(2_000).had('a').breach).toBeUndefined();
    expect(taken(2_000).had('a').had('a').breach).toBe('n1 gets a, which n2 and n1 had');
    expect(taken(2_001).had('a').breach).toBe('n1 gets a, which n2 had');
    expect(taken(0, 'another').had('a').breach).toBe('n1 gets a, which n2 had');
    const told = taken(0);
    told.book.ends('n1');
    expect(told.had('a').breach).toBe('n1 gets a, which n2 had');
  });

  test('keeps its order in each lane at each place', () => {
    expect(new Account().up('a b c').had('a c').breach).toBeUndefined();
    expect(new Account().up('a b').had('b a').breach).toBe('n1 c normal gets a out of order');
    expect(new Account().up('a b', { lane: null }).had('b a').breach).toBeUndefined();
    expect(new Account().up('a').up('b', { lane: 'c high' }).had('b a').breach).toBeUndefined();
    expect(new Account().up('a b').had('b').had('a', 'n2').breach).toBeUndefined();
  });

  test('is more than only sent on holdfast.v1, if its order counts', () => {
    expect(new Account().up('a').told('a', 'sent').breach).toBe('a is only sent');
    expect(new Account().up('a', { lane: null }).told('a', 'sent').breach).toBeUndefined();
    for (const wire of ['plain', 'either'] as const)
      expect(new Account(wire).up('a').told('a', 'sent').breach).toBeUndefined();
  });
});

describe('a message in doubt', () => {
  const DOUBTFUL = 'a is in doubt, and nothing was lost';

  test('needs a loss at that moment', () => {
    expect(new Account('plain').up('a').told('a', 'unknown').breach).toBe(DOUBTFUL);
    const lost = new Account('plain').up('a');
    lost.book.socketLost('c');
    expect(lost.told('a', 'unknown').breach).toBeUndefined();
    const late = new Account('plain').up('a');
    late.book.socketLost('c');
    late.clock.advance(1);
    expect(late.told('a', 'unknown').breach).toBe(DOUBTFUL);
    const other = new Account('plain').up('a');
    other.book.socketLost('another');
    expect(other.told('a', 'unknown').breach).toBe(DOUBTFUL);
    // a session outlives its sockets
    const outlived = new Account().up('a');
    outlived.book.socketLost('c');
    expect(outlived.told('a', 'unknown').breach).toBe(DOUBTFUL);
  });

  test('may have been put back after a loss if it may be repeated, and it was sent before', () => {
    const account = new Account('plain').up('a', { mayRepeat: true });
    account.clock.advance(10);
    account.book.socketLost('c');
    account.clock.advance(1_000);
    expect(account.told('a', 'unknown').breach).toBeUndefined();
    account.up('b', { mayRepeat: true });
    expect(account.told('b', 'unknown').breach).toBe('b is in doubt, and nothing was lost');
  });

  test('is in the right where its session is lost, and where its connection ends or has ended', () => {
    const lost = new Account().up('a');
    lost.book.lostSession('c');
    expect(lost.told('a', 'unknown').breach).toBeUndefined();
    for (const to of ['ending', 'ended'] as const) {
      const account = new Account().up('a');
      account.book.turned('c', to);
      account.clock.advance(1_000);
      expect(account.told('a', 'unknown').breach).toBeUndefined();
    }
    const again = new Account().up('a');
    again.book.turned('c', 'ended');
    again.book.turned('c', 'going on');
    again.clock.advance(1_000);
    expect(again.told('a', 'unknown').breach).toBe(DOUBTFUL);
  });

  test('needs no loss if it is a request, or volatile', () => {
    for (const kind of ['request', 'volatile'] as const)
      expect(new Account().up('a', { kind, lane: null }).told('a', 'unknown').breach).toBeUndefined();
  });

  test('may have been had, or not', () => {
    for (const tags of ['a', 'b']) {
      const account = new Account('plain').up('a b').had(tags);
      account.book.socketLost('c');
      account.told('a', 'unknown').told('b', 'unknown').book.close();
      expect(account.breach).toBeUndefined();
    }
  });
});

describe('what a server sends', () => {
  test('is well when it is heard in order and acknowledged, and may have no fate at the end', () => {
    const account = new Account().down('a b').heard('a b');
    account.book.toldDown('a', 'acknowledged');
    account.book.close();
    expect([account.breach, account.book.size, account.book.open]).toEqual([undefined, 2, null]);
  });

  test('was sent by somebody', () => {
    expect(new Account().heard('a').breach).toBe('c gets a, which nobody sent');
  });

  test('is heard once', () => {
    expect(new Account().down('a').heard('a a').breach).toBe('c gets a a second time');
  });

  test('keeps its order within its session, whatever is missing', () => {
    expect(new Account().down('a b c').heard('a c').breach).toBeUndefined();
    expect(new Account().down('a b').heard('b a').breach).toBe('c one gets a out of order');
  });

  test('was heard when it is acknowledged', () => {
    const account = new Account().down('a');
    account.book.toldDown('unheard of', 'acknowledged');
    account.book.toldDown('a', 'unknown');
    expect(account.breach).toBeUndefined();
    account.book.toldDown('a', 'acknowledged');
    expect(account.breach).toBe('a server is told that a was accepted, and no application had it');
  });

  test('was not heard when it was not sent', () => {
    for (const heard of [true, false]) {
      const account = new Account().down('a');
      if (heard) account.heard('a');
      account.book.toldDown('a', 'not_sent');
      account.book.close();
      expect(account.breach).toBe(heard ? 'a was not sent, and is had' : undefined);
    }
  });
});

describe('another session', () => {
  test('is told of before its first message, on holdfast.v1', () => {
    const account = new Account().down('a').down('b', 'two').heard('a b');
    expect(account.breach).toBe('c is in two, and was not told that it lost one');
    for (const wire of ['plain', 'either'] as const)
      expect(new Account(wire).down('a').down('b', 'two').heard('a b').breach).toBeUndefined();
  });

  test('may follow once the loss of the one before is told, and each loss counts once', () => {
    const account = new Account().down('a').down('b', 'two').down('d', 'three').heard('a');
    account.book.lostSession('c');
    expect(account.heard('b').breach).toBeUndefined();
    expect(account.heard('d').breach).toBe('c is in three, and was not told that it lost two');
  });

  test('may follow where the connection was ended, or called back while it ended', () => {
    for (const to of ['ended', 'ending'] as const) {
      const account = new Account().down('a').down('b', 'two').heard('a');
      account.book.turned('c', to);
      account.book.turned('c', 'going on');
      expect(account.heard('b').breach).toBeUndefined();
    }
  });

  test('is the end of the one before: nothing more is heard of it', () => {
    const lost = new Account().down('a late').down('b', 'two').heard('a');
    lost.book.lostSession('c');
    expect(lost.heard('b').breach).toBeUndefined();
    expect(lost.heard('late').breach).toBe('c gets a message of one, which is over');
    const ended = new Account().down('a late').heard('a');
    ended.book.turned('c', 'ended');
    expect(ended.heard('late').breach).toBe('c gets a message of one, which is over');
  });

  test('of another connection is its own', () => {
    const account = new Account().down('a').down('b', 'two').heard('a');
    account.book.heardDown('other', 'b', 'b');
    expect(account.breach).toBeUndefined();
  });
});

test('a book writes down what happens, for whoever reads the history', () => {
  const account = new Account().up('a').down('b').had('a').told('a', 'acknowledged').heard('b');
  account.book.toldDown('b', 'acknowledged');
  expect(
    account.history
      .tail(10)
      .split('\n')
      .map((line) => line.trim().replace(/^[\d.]+ +/, '')),
  ).toEqual(['n1 gets a', 'c is told that a is acknowledged', 'c gets b', 'a server is told that b is acknowledged']);
});

describe('what was not sent', () => {
  test.each<[string, (account: Account) => unknown]>([
    ['by an option that it was sent with', (account) => account.told('a', 'not_sent', 'EXPIRED')],
    [
      'by the end of its connection',
      (account) => {
        account.book.turned('c', 'ended');
        account.told('a', 'not_sent', 'CONNECTION_ENDED');
      },
    ],
    [
      'by an end that was taken back',
      (account) => {
        account.book.turned('c', 'ending');
        account.book.turned('c', 'going on');
        account.told('a', 'not_sent', 'CONNECTION_ENDED');
      },
    ],
    [
      'by its application, which emptied the queue',
      (account) => {
        account.book.purged('c');
        account.told('a', 'not_sent', 'PURGED');
      },
    ],
  ])('is excused %s', (_, excuse) => {
    const account = new Account().up('a');
    excuse(account);
    expect(account.breach).toBeUndefined();
  });

  test.each(['SUPERSEDED', 'CONNECTION_ENDED', 'PURGED', 'QUEUE_FULL'])('is not excused by %s without that', (code) => {
    expect(new Account().up('a').told('a', 'not_sent', code).breach).toBe(`a was not sent for no reason: ${code}`);
  });

  test('is not excused by what was before', () => {
    const account = new Account();
    account.book.purged('c');
    account.book.turned('c', 'ended');
    account.clock.advance(1);
    account.book.turned('c', 'going on');
    account.clock.advance(1);
    expect(account.up('a').told('a', 'not_sent', 'PURGED').breach).toBeDefined();
  });
});

describe('what arrives', () => {
  test('is what was sent, to the last character, with its type where the wire carries that', () => {
    const up = (wire: Wire): Account => new Account(wire).up('a', { content: { text: 'a text', type: 'note' } });
    const had = (account: Account, text: string, type?: string): string | undefined => {
      account.book.hadUp('a', 'n1', { text, type });
      return account.breach;
    };
    expect(had(up('holdfast.v1'), 'a text', 'note')).toBeUndefined();
    expect(had(up('holdfast.v1'), 'a tex', 'note')).toBe('n1 gets a as note a tex');
    expect(had(up('holdfast.v1'), 'a text')).toBe('n1 gets a as undefined a text');
    expect(had(up('plain'), 'a text')).toBeUndefined();
    const down = new Account().down('b');
    down.book.heardDown('c', 'b', 'b and more');
    expect(down.breach).toBe('c gets b as b and more');
  });

  test('must, both ways, of the last words', () => {
    const lost = new Account().up('a', { isLast: true }).told('a', 'unknown');
    lost.book.close();
    expect(lost.breach).toBeDefined();
    const unheard = new Account().down('b', 'one', true);
    unheard.book.close();
    expect(unheard.breach).toBe('nothing went wrong any more, and nobody heard b');
    const well = new Account().up('a', { isLast: true }).down('b', 'one', true).had('a').heard('b');
    well.told('a', 'acknowledged').book.close();
    expect(well.breach).toBeUndefined();
  });
});
