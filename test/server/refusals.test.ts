import { expect, test } from 'vitest';

import type { ServerFrame } from '../../src/protocol/frames.ts';
import { Refusals } from '../../src/server/refusals.ts';

const BUSY = { code: 'BUSY', message: 'later', temporary: true, outcome: 'rejected' } as const;

function start({ isConnected = true } = {}) {
  const said: ServerFrame[] = [];
  const known: number[] = [];
  const state = { isConnected };
  const refusals = new Refusals({
    say: (frame) => {
      if (state.isConnected) said.push(frame);
      return state.isConnected;
    },
    now: () => 7,
    known: (position) => known.push(position),
  });
  return { refusals, said, known, state };
}

test('a refusal is told with all that is known of it, and asked about', () => {
  const { refusals, said, known } = start();
  refusals.refuse(3, BUSY);
  expect(said).toEqual([
    { t: 'nack', s: 3, e: 3, c: 'BUSY', m: 'later', temp: true, out: 'rejected' },
    { t: 'ping', i: 1, ts: 7 },
  ]);
  expect([refusals.has(3), refusals.has(4), known]).toEqual([true, false, []]);
});

test('a refusal is known when its ping is answered, and no other', () => {
  const { refusals, known } = start();
  refusals.refuse(3, BUSY);
  refusals.ponged(2);
  expect(known).toEqual([]);
  refusals.ponged(1);
  refusals.ponged(1);
  expect([known, refusals.has(3)]).toEqual([[3], false]);
});

test('one ping at a time is out, whatever is refused meanwhile', () => {
  const { refusals, said, known } = start();
  for (const position of [1, 2, 3]) refusals.refuse(position, BUSY);
  refusals.ponged(1);
  refusals.ponged(2);
  expect(said.map(({ t }) => t)).toEqual(['nack', 'ping', 'nack', 'nack', 'ping']);
  expect(known).toEqual([1, 2, 3]);
});

test('a new socket is told everything that is not known, before it is asked', () => {
  const { refusals, said, known } = start();
  refusals.refuse(1, BUSY);
  refusals.refuse(2, BUSY);
  said.length = 0;
  refusals.attached();
  // the answer to the ping of the socket before
  refusals.ponged(1);
  expect([said.map(({ t }) => t), known]).toEqual([['nack', 'nack', 'ping'], []]);
  refusals.ponged(2);
  expect(known).toEqual([1, 2]);
});

test('without a socket nothing is asked, and a new one with nothing to tell is not asked either', () => {
  const { refusals, said, state } = start({ isConnected: false });
  refusals.refuse(1, BUSY);
  expect(said).toEqual([]);
  state.isConnected = true;
  refusals.attached();
  refusals.ponged(1);
  refusals.attached();
  expect(said.map(({ t }) => t)).toEqual(['nack', 'ping']);
});
