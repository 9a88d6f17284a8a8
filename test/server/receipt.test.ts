import { expect, test } from 'vitest';

import { MessageError } from '../../src/errors.ts';
import { Receipt } from '../../src/server/receipt.ts';

test('a receipt settles once, whether it was asked before or after', async () => {
  const [early, late] = [new Receipt(), new Receipt()];
  const promise = early.settled;
  for (const receipt of [early, late]) {
    receipt.settle(null);
    receipt.settle(new MessageError('CONNECTION_ENDED'));
  }
  await expect(promise).resolves.toBeUndefined();
  await expect(late.settled).resolves.toBeUndefined();
  expect(early.settled).toBe(promise);
});

test('a refused one rejects, and may be left alone', async () => {
  const receipt = Receipt.refused(new MessageError('QUEUE_FULL'));
  expect(receipt.position).toBeNull();
  await expect(receipt.settled).rejects.toMatchObject({ code: 'QUEUE_FULL' });
  const asked = new Receipt();
  void asked.settled;
  asked.settle(new MessageError('QUEUE_FULL'));
});
