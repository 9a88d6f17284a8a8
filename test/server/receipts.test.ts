import { expect, test } from 'vitest';

import { MessageError } from '../../src/errors.ts';
import { Receipt } from '../../src/server/receipt.ts';
import { Receipts } from '../../src/server/receipts.ts';
import { codeOf } from '../support/outflow.ts';

const rejected = new MessageError('MESSAGE_REJECTED', { outcome: 'rejected' });

function open(...keys: (string | undefined)[]): {
  receipts: Receipts;
  codes: () => Promise<string[]>;
  list: Receipt[];
} {
  const receipts = new Receipts();
  const list = keys.map((key) => new Receipt(key === undefined ? undefined : { k: key }));
  for (const [index, receipt] of list.entries()) receipts.add(index + 1, receipt);
  const codeOfOne = ({ settled }: Receipt): Promise<string> => Promise.race([codeOf(settled), later()]);
  const later = (): Promise<string> => new Promise((resolve) => setImmediate(resolve, 'open'));
  return { receipts, list, codes: () => Promise.all(list.map(codeOfOne)) };
}

test('those up to a position are settled, and gone', async () => {
  const { receipts, list, codes } = open('a', 'b', 'c');
  expect(list.map(({ position }) => position)).toEqual([1, 2, 3]);
  receipts.settle(2);
  receipts.settle(2);
  expect(await codes()).toEqual(['settled', 'settled', 'open']);
  expect(receipts.all).toEqual([list[2]]);
});

test('those from one position to another are refused, and stay until they are acknowledged', async () => {
  const { receipts, list, codes } = open('a', 'b', 'c', 'd');
  receipts.refuse(2, 3, rejected);
  expect(receipts.all).toEqual(list);
  receipts.settle(4);
  expect(await codes()).toEqual(['settled', 'MESSAGE_REJECTED rejected', 'MESSAGE_REJECTED rejected', 'settled']);
});

test('those of some keys are refused, and none without a key', async () => {
  const { receipts, codes } = open('a', undefined, 'b');
  receipts.refuseByKey(['b', 'z'], rejected);
  expect(await codes()).toEqual(['open', 'open', 'MESSAGE_REJECTED rejected']);
  receipts.clear();
  expect(receipts.all).toEqual([]);
});
