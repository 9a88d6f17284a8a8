import { describe, expect, test } from 'vitest';

import { secretsOf, shownName, shownUrl, tameText } from '../../src/cli/secrecy.ts';

describe('text of a peer', () => {
  test('loses its control characters, direction marks and URLs', () => {
    expect(tameText('a\u001b[31m\r\nb\u202ec see https://host/?token=hush now')).toBe('a [31m  b c see https://… now');
  });

  test('loses the secrets, and is cut to 120 characters', () => {
    expect(tameText('key hush-hush, hush-hush', ['hush-hush'])).toBe('key …, …');
    expect(tameText('x'.repeat(500))).toHaveLength(120);
    expect(tameText(`${'x'.repeat(118)}😀😀`)).toBe(`${'x'.repeat(118)}…`);
  });
});

describe('a URL that is shown', () => {
  test.each([
    ['wss://host.example:444/a/b', 'wss://host.example:444/a/b'],
    ['wss://ann:hush@host/', 'wss://…@host/'],
    ['wss://host/?token=hush&v=1', 'wss://host/?token=…&v=…'],
    ['wss://host/?hush', 'wss://host/?…'],
    ['wss://host/chat/6f9619ff-8b86-d011-b42d-00cf4fc964ff/x', 'wss://host/chat/…/x'],
    ['wss://host/a;session=hush/x', 'wss://host/a;session=…/x'],
    ['wss://host/notifications', 'wss://host/notifications'],
  ])('%s is %s', (url, shown) => {
    expect(shownUrl(new URL(url))).toBe(shown);
  });

  test('is not longer than 200 characters', () => {
    expect(shownUrl(new URL(`wss://host/${'ab/'.repeat(500)}`))).toHaveLength(200);
  });
});

describe('the name of a subprotocol', () => {
  test('is shown, unless it looks like a token', () => {
    const names = ['holdfast.v1', 'graphql-transport-ws', 'eyJhbGciOiJIUzI1NiJ9', 'hush'];
    const shown = names.map((name) => shownName(name, (text) => tameText(text, ['hush'])));
    expect(shown).toEqual(['holdfast.v1', 'graphql-transport-ws', '…', '…']);
  });
});

describe('the secrets of an examination', () => {
  test('are whatever proves who somebody is, in each form that it travels in', () => {
    const url = new URL('wss://ann%40x:pass-hush@host/0123456789abcdef/chat?key=query%20hush&v=1');
    const secrets = secretsOf(url, {
      headers: [['Authorization', 'Bearer header-hush']],
      protocols: ['chat', '0123456789-token'],
    });
    const basic = Buffer.from('ann@x:pass-hush').toString('base64');
    for (const secret of [
      'ann@x',
      'pass-hush',
      basic,
      '0123456789abcdef',
      'query hush',
      'header-hush',
      '0123456789-token',
    ]) {
      expect(secrets).toContain(secret);
    }
    expect(secrets).not.toContain('chat');
    expect(secrets).not.toContain('1');
  });

  test('come with the longest first, so that none is left in part', () => {
    const secrets = secretsOf(null, { headers: [['Cookie', 'id=hush-hush; other=hush']] });
    expect(tameText('id=hush-hush; other=hush and hush-hush', secrets)).toBe('… and …');
  });

  test('are taken as they stand where they are not encoded well', () => {
    expect(secretsOf(new URL('wss://%E0%A4@host/'))).toContain('%E0%A4');
  });
});
