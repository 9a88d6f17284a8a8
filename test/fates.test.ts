import { describe, expect, test } from 'vitest';

import { Fates } from '../src/fates.ts';
import { MessageError } from '../src/errors.ts';
import { OutboundMessage } from '../src/message.ts';

function fates(): { fates: Fates; said: string[]; fated: string[]; message: () => OutboundMessage } {
  const said: string[] = [];
  const fated: string[] = [];
  let number = 0;
  return {
    fates: new Fates({
      undelivered: (id, { code, outcome }) => said.push(`${id} ${code} ${outcome}`),
      fated: ({ id, data }, fate, error) => fated.push(`${id} ${String(data)} ${fate} ${error?.code ?? ''}`.trimEnd()),
      settled: () => said.push('settled'),
      context: { connectionId: 'c', serviceType: 's' },
    }),
    said,
    fated,
    message: () =>
      new OutboundMessage({ data: 'x', bytes: 1, form: 'text' }, {}, { number: ++number, now: 0, cancel: () => false }),
  };
}

const NOTHING = { waiting: 0, waitingBytes: 0 };

describe('fates', () => {
  test('are counted, each where it belongs', () => {
    const { fates: f, message } = fates();
    for (let count = 0; count < 8; count++) f.accepted();
    f.sent(message());
    f.acknowledged(message());
    f.rejected(message(), new MessageError('MESSAGE_REJECTED', { outcome: 'rejected' }));
    f.rejected(message(), new MessageError('MESSAGE_REJECTED', { outcome: 'unknown' }));
    f.dropped(message(), 'EXPIRED');
    f.dropped(message(), 'EXPIRED');
    f.dropped(message(), 'PURGED');
    f.lost(message());
    f.refused(message(), f.error('QUEUE_FULL'));
    expect(f.counts({ waiting: 0, waitingBytes: 0, oldestAt: null })).toEqual({
      accepted: 8,
      sent: 1,
      acknowledged: 1,
      dropped: 4,
      droppedBy: { EXPIRED: 2, MESSAGE_REJECTED: 1, PURGED: 1 },
      unknown: 2,
      refused: 1,
      ...NOTHING,
    });
  });

  test('are told to the message first, then to who hears of the undelivered, then to everybody else', () => {
    const { fates: f, said, message } = fates();
    const sent = message();
    sent.whenSettled(() => said.push('the message'));
    f.sent(sent);
    const dropped = message();
    dropped.whenSettled(() => said.push('the message'));
    f.dropped(dropped, 'EXPIRED');
    f.lost(message());
    expect(said).toEqual([
      'the message',
      'settled',
      'the message',
      'm2 EXPIRED not_sent',
      'settled',
      'm3 OUTCOME_UNKNOWN unknown',
      'settled',
    ]);
  });

  test('are told to whoever wants to know of each, once, while the message still has its data', () => {
    const { fates: f, fated, message } = fates();
    f.sent(message());
    f.acknowledged(message());
    f.dropped(message(), 'EXPIRED');
    f.lost(message());
    f.refused(message(), f.error('QUEUE_FULL'));
    expect(fated).toEqual([
      'm1 x sent',
      'm2 x acknowledged',
      'm3 x dropped EXPIRED',
      'm4 x unknown OUTCOME_UNKNOWN',
      'm5 x refused QUEUE_FULL',
    ]);
  });

  test('of what the peer refused are told in its own words, also when it does not say whether it acted', () => {
    const { fates: f, said, message } = fates();
    for (const outcome of ['rejected', 'unknown'] as const)
      f.rejected(message(), new MessageError('MESSAGE_REJECTED', { outcome }));
    expect(said).toEqual(['m1 MESSAGE_REJECTED rejected', 'settled', 'm2 MESSAGE_REJECTED unknown', 'settled']);
  });

  test('have errors that say whose they are, and what caused them', () => {
    const { fates: f } = fates();
    expect(f.error('CONNECTION_ENDED', { cause: 'why' })).toMatchObject({
      code: 'CONNECTION_ENDED',
      connectionId: 'c',
      serviceType: 's',
      outcome: 'not_sent',
      cause: 'why',
    });
  });
});
