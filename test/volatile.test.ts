import { describe, expect, test } from 'vitest';

import { Fates } from '../src/fates.ts';
import { OutboundMessage } from '../src/message.ts';
import { Volatile } from '../src/volatile.ts';
import type { Wire } from '../src/wire.ts';

function given(): { own: Volatile; fates: Fates; message: () => OutboundMessage; told: string[] } {
  const told: string[] = [];
  const fates = new Fates({
    undelivered: (id, { code }) => told.push(`${id} ${code}`),
    settled: () => undefined,
    context: {},
  });
  let number = 0;
  const message = (): OutboundMessage =>
    new OutboundMessage(
      { data: 'x', bytes: 1, form: 'text' },
      { volatile: true },
      { number: ++number, now: 0, cancel: () => false },
    );
  return { own: new Volatile(fates), fates, message, told };
}

function line({ isOpen = true, bufferedBytes = 0 } = {}): { wire: Wire; written: string[] } {
  const written: string[] = [];
  const wire = { isOpen, bufferedBytes, writeVolatile: ({ id }: OutboundMessage) => written.push(id) };
  return { wire: wire as unknown as Wire, written };
}

describe('volatile messages', () => {
  test('leave in order with the next flush, and are accepted until then', () => {
    const { own, fates, message } = given();
    own.push(message());
    own.push(message());
    expect([own.size, fates.counts({ waiting: 0, waitingBytes: 0 }).accepted]).toEqual([2, 2]);
    const { wire, written } = line();
    own.pour(wire, 10);
    own.pour(wire, 10);
    expect([written, own.size]).toEqual([['m1', 'm2'], 0]);
  });

  test.each([
    ['is not open', { isOpen: false }],
    ['has enough to do', { bufferedBytes: 10 }],
  ])('are dropped by a line that %s', (_what, state) => {
    const { own, message, told } = given();
    own.push(message());
    const { wire, written } = line(state);
    own.pour(wire, 10);
    expect([written, told]).toEqual([[], ['m1 VOLATILE_DROPPED']]);
  });

  test('are dropped when their moment is over, and one by one when they are taken back', () => {
    const { own, message, told } = given();
    const [one, other] = [message(), message()];
    own.push(one);
    own.push(other);
    expect([own.withdraw(one, 'SEND_CANCELLED'), own.withdraw(one, 'SEND_CANCELLED')]).toEqual([true, false]);
    own.drop();
    expect([told, own.size]).toEqual([['m1 SEND_CANCELLED', 'm2 VOLATILE_DROPPED'], 0]);
  });
});
