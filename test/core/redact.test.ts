import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { redactUrl, tameText } from '../../src/core/redact.ts';

const SECRET = 'hunter2';

describe('a URL as it may be shown', () => {
  test.each([
    ['wss://example.com', 'wss://example.com'],
    ['wss://example.com/', 'wss://example.com/'],
    ['wss://example.com:8443/a/b', 'wss://example.com:8443/a/b'],
    ['ws://[::1]:80/socket', 'ws://[::1]:80/socket'],
    ['wss://example.com/?token=hunter2', 'wss://example.com/?token=…'],
    ['wss://example.com/a?token=hunter2&room=7', 'wss://example.com/a?token=…&room=…'],
    ['wss://example.com/?token=hunter2=hunter2', 'wss://example.com/?token=…'],
    ['wss://example.com/?token=', 'wss://example.com/?token=…'],
    ['wss://example.com/?=hunter2', 'wss://example.com/?=…'],
    ['wss://example.com/?a=1&&b=2', 'wss://example.com/?a=…&…&b=…'],
    ['wss://example.com/?hunter2', 'wss://example.com/?…'],
    ['wss://example.com/a\nb', 'wss://example.com/a b'],
    ['wss://example.com/?', 'wss://example.com/'],
    ['wss://example.com/?next=wss://me:hunter2@host/', 'wss://example.com/?next=…'],
    ['wss://me:hunter2@example.com/', 'wss://example.com/'],
    ['wss://hunter2@example.com', 'wss://example.com'],
    ['wss://me:hunter2@example.com/?a=1#hunter2', 'wss://example.com/?a=…'],
    ['wss://example.com/#token=hunter2', 'wss://example.com/'],
    ['wss://example.com/?a=1#b?c=hunter2', 'wss://example.com/?a=…'],
    ['wss://example.com/team@work/x', 'wss://example.com/team@work/x'],
    ['WSS://EXAMPLE.com/?A=hunter2', 'WSS://EXAMPLE.com/?A=…'],
    ['https://example.com/?a=hunter2', 'https://example.com/?a=…'],
    ['chrome-extension://abc/?a=hunter2', 'chrome-extension://abc/?a=…'],
  ])('is, for %s, %s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });

  test.each(['', 'hunter2', '/socket?token=hunter2', 'wss:/hunter2', '//example.com/?a=hunter2', '1ws://hunter2', '%'])(
    'is only said to be none for %j',
    (text) => {
      expect(redactUrl(text)).toBe('(not a URL)');
    },
  );

  test('hides all of a password that contains an @', () => {
    expect(redactUrl('wss://me:hunter@2@example.com/')).toBe('wss://example.com/');
  });

  test('never shows a query value, a user, a password or a fragment', () => {
    const part = fc.constantFrom('', 'a', 'token', 'x.y', '-');
    const url = fc.record({
      scheme: fc.constantFrom('ws', 'wss', 'https'),
      user: fc.constantFrom('', `${SECRET}@`, `me:${SECRET}@`),
      path: fc.array(part, { maxLength: 3 }).map((parts) => parts.map((name) => `/${name}`).join('')),
      query: fc.array(part, { maxLength: 3 }).map((names) => names.map((name) => `${name}=${SECRET}`).join('&')),
      fragment: fc.constantFrom('', `#${SECRET}`, `#?${SECRET}=${SECRET}`),
    });
    fc.assert(
      fc.property(url, ({ scheme, user, path, query, fragment }) => {
        const shown = redactUrl(`${scheme}://${user}example.com${path}${query && `?${query}`}${fragment}`);
        expect(shown).not.toContain(SECRET);
        expect(shown.startsWith(`${scheme}://example.com${path}`)).toBe(true);
      }),
    );
  });

  test.each([
    'wss://example.com/a@b',
    'wss://example.com:8443?a=@host',
    'ws://me:hunter2@[::1]:8080/a?b#c',
    'https://me@example.com#@other',
    'ws://example.com//me:hunter2@host/',
  ])('agrees with the platform on which part of %s is the host', (url) => {
    const { protocol, host } = new URL(url);
    expect(redactUrl(url)).toMatch(new RegExp(`^${protocol}//${host.replace(/[[\]]/g, '\\$&')}(?=[/?]|$)`));
  });

  test('takes a time that grows no faster than the text', () => {
    const long = `wss://${'a:'.repeat(100_000)}`;
    expect(redactUrl(long)).toBe(long);
  });
});

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
});
