import { describe, expect, test } from 'vitest';

import type { Member } from '../src/member.ts';
import { TrafficLedger } from '../src/traffic.ts';

interface Carried {
  serviceType?: string;
  messages?: number;
  droppedBy?: Record<string, number>;
  /** Whether it is monitored at all. */
  isMonitored?: boolean;
}

/** A connection that has carried so many messages out, twice as many in, ten bytes each. */
function member({ serviceType = 'chat', messages = 0, droppedBy = {}, isMonitored = true }: Carried): Member {
  const totals = {
    messagesOut: messages,
    messagesIn: messages * 2,
    bytesOut: messages * 10,
    bytesIn: messages * 20,
  };
  const ports = { outbox: { counts: { droppedBy } } };
  const monitor = () => (isMonitored ? { totals } : undefined);
  return { connection: { serviceType }, ports, monitor } as unknown as Member;
}

describe('what was carried', () => {
  test('is nothing before there is a connection', () => {
    expect(new TrafficLedger().totals([])).toEqual({});
  });

  test('is the sum of each service type', () => {
    const members = [
      member({ messages: 1, droppedBy: { EXPIRED: 1 } }),
      member({ messages: 2, droppedBy: { EXPIRED: 2, QUEUE_FULL: 3 } }),
      member({ serviceType: 'log', messages: 5 }),
    ];
    expect(new TrafficLedger().totals(members)).toEqual({
      chat: { messagesOut: 3, messagesIn: 6, bytesOut: 30, bytesIn: 60, dropped: { EXPIRED: 3, QUEUE_FULL: 3 } },
      log: { messagesOut: 5, messagesIn: 10, bytesOut: 50, bytesIn: 100, dropped: {} },
    });
  });

  test('is no less when a connection is forgotten, and counts nothing twice, however often it is asked', () => {
    const ledger = new TrafficLedger();
    const [stays, goes] = [member({ messages: 1 }), member({ messages: 2, droppedBy: { EXPIRED: 4 } })];
    const before = ledger.totals([stays, goes]);
    ledger.retire(goes);
    expect([ledger.totals([stays]), ledger.totals([stays])]).toEqual([before, before]);
    ledger.retire(stays);
    expect(ledger.totals([])).toEqual(before);
    expect(ledger.totals([member({ messages: 10 })])['chat']?.messagesOut).toBe(13);
  });

  test('is not changed by what is done with an answer', () => {
    const ledger = new TrafficLedger();
    ledger.retire(member({ messages: 1, droppedBy: { EXPIRED: 1 } }));
    const answer = ledger.totals([])['chat'];
    expect(() => Object.assign(answer ?? {}, { messagesOut: 99 })).toThrow(TypeError);
    expect(() => Object.assign(answer?.dropped ?? {}, { EXPIRED: 99 })).toThrow(TypeError);
    expect(ledger.totals([])['chat']).toMatchObject({ messagesOut: 1, dropped: { EXPIRED: 1 } });
  });

  test('is known of what was dropped, though nothing else is counted where health is not monitored', () => {
    const members = [member({ messages: 7, droppedBy: { EXPIRED: 1 }, isMonitored: false })];
    expect(new TrafficLedger().totals(members)).toEqual({
      chat: { messagesOut: 0, messagesIn: 0, bytesOut: 0, bytesIn: 0, dropped: { EXPIRED: 1 } },
    });
  });
});
