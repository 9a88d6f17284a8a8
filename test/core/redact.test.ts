import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { tameText } from '../../src/core/redact.ts';

describe("a peer's text as it may be kept", () => {
  test.each([
    ['a\r\nb', 'a  b'],
    ['a\u0000b\u001fc', 'a b c'],
    ['\u001b[31mred\u001b[0m', ' [31mred [0m'],
    ['a\u007fb\u0085c\u009fd', 'a b c d'],
    ['a\u2028b\u2029c', 'a b c'],
    ['tab\tbed', 'tab bed'],
    ['Ünïcödé → 日本 👍', 'Ünïcödé → 日本 👍'],
    ['\u00a0~', '\u00a0~'],
    ['', ''],
  ])('is, for %j, %j', (text, kept) => {
    expect(tameText(text)).toBe(kept);
  });

  test('has at most 200 characters', () => {
    expect(tameText('x'.repeat(200))).toHaveLength(200);
    expect(tameText('x'.repeat(201))).toHaveLength(200);
    expect(tameText('x'.repeat(1_000_000))).toHaveLength(200);
  });

  test('cannot begin a new line or send a control sequence, whatever it was', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0x2100), { maxLength: 300 }), (characters) => {
        const text = String.fromCharCode(...characters);
        expect(tameText(text)).toMatch(/^[^\p{Cc}\u2028\u2029]*$/u);
      }),
    );
  });

  test.each([
    ["WebSocket connection to 'wss://host/?token=hunter2' failed", "WebSocket connection to 'wss://… failed"],
    ['Invalid URL: wss://me:pa/hunter2@host/x', 'Invalid URL: wss://…'],
    ['moved to https://host/hunter2, and https://other/hunter2', 'moved to https://… and https://…'],
    ['connect ECONNREFUSED 127.0.0.1:9', 'connect ECONNREFUSED 127.0.0.1:9'],
  ])('shows of a URL only its scheme: %s', (text, shown) => {
    expect(tameText(text)).toBe(shown);
  });
});
