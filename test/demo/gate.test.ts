import { describe, expect, test } from 'vitest';

import { Gate } from '../../examples/demo/gate.ts';
import { numberOf, tokenOf } from '../../examples/demo/tokens.ts';

const KEY = 'a key';

function gateAt(key: string | undefined): { gate: Gate; pass: (ms: number) => void } {
  let now = 0;
  return {
    gate: new Gate(key, () => now),
    pass: (ms) => {
      now += ms;
    },
  };
}

describe('a token', () => {
  test('is known by its number to who has the key, and to nobody else', () => {
    expect(numberOf(tokenOf(3, KEY), KEY)).toBe(3);
    expect(numberOf(tokenOf(3, 'another key'), KEY)).toBeNull();
    expect(numberOf('3', KEY)).toBeNull();
    expect(numberOf('demo', KEY)).toBeNull();
  });
});

describe('the gate of a demo server', () => {
  test('lets in who shows a token, among whatever else is offered', () => {
    const { gate } = gateAt(KEY);
    expect(gate.answer(['demo', tokenOf(1, KEY)])).toMatchObject({ status: 101, token: 1 });
    expect(gate.answer(['demo'])).toMatchObject({ status: 401, token: null });
    expect(gate.answer(['demo', tokenOf(1, 'another key')])).toMatchObject({ status: 401, token: null });
  });

  test('refuses the tokens that it has taken, once they have expired, and takes newer ones', () => {
    const { gate } = gateAt(KEY);
    gate.answer([tokenOf(1, KEY)]);
    gate.answer([tokenOf(2, KEY)]);
    gate.expire();
    const answers = [1, 2, 3].map((number) => gate.answer([tokenOf(number, KEY)]).status);
    expect(answers).toEqual([401, 401, 101]);
  });

  test('refuses everybody for as long as the limit lasts, and says how long that is in whole seconds', () => {
    const { gate, pass } = gateAt(undefined);
    gate.limit(3_000);
    pass(200);
    expect(gate.answer([])).toEqual({ status: 429, at: 200, token: null, retryAfterS: 3 });
    pass(2_000);
    expect(gate.answer([])).toMatchObject({ status: 429, retryAfterS: 1 });
    pass(800);
    expect(gate.answer([])).toMatchObject({ status: 101, retryAfterS: 0 });
  });
});
