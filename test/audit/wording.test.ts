import { describe, expect, test } from 'vitest';

import { failureOf } from '../../src/audit/facts.ts';
import {
  countText,
  durationText,
  failureText,
  nameText,
  oneLine,
  shareText,
  timeText,
  waitText,
} from '../../src/audit/wording.ts';
import type { Wait } from '../../src/audit/explanation.ts';
import { failed } from '../support/audit-story.ts';

const textOf = (code: string, closure: object | null = null): string =>
  failureText(failureOf(failed(code, { closure })));

describe('what is said', () => {
  test('of a duration is as exact as it has to be', () => {
    const told = [0, 157, 999, 1_000, 5_239, 59_999, 60_000, 68_000, 3_600_000, 7_500_000, 86_400_000, 100_000_000];
    expect(told.map(durationText)).toEqual([
      ...[
        '0 ms',
        '157 ms',
        '999 ms',
        '1 s',
        '5.23 s',
        '59.99 s',
        '1 min',
        '1 min 8 s',
        '1 h',
        '2 h 5 min',
        '1 d',
        '1 d 3 h',
      ],
    ]);
  });

  test('of shares, counts and times is readable', () => {
    expect([0, 0.00001, 0.5, 1].map(shareText)).toEqual(['0 %', 'less than 0.01 %', '50 %', '100 %']);
    expect([0, 1, 2].map((count) => countText(count, 'record'))).toEqual(['0 records', '1 record', '2 records']);
    expect([timeText(0), timeText(null)]).toEqual(['1970-01-01T00:00:00.000Z', 'a time that is not known']);
  });

  test('of a failure says who ended it, and the name of the code', () => {
    expect(textOf('CLOSED_BY_PEER', { code: 1001, wasClean: true })).toBe('the peer closed it with 1001 (going away)');
    expect(textOf('CLOSED_BY_PEER', { code: 4999, wasClean: false })).toBe(
      'the peer closed it with 4999, without the closing handshake',
    );
    expect(textOf('HANDSHAKE_FAILED', { code: 1006, status: 401 })).toBe(
      'the server refused the handshake with HTTP 401',
    );
    expect(textOf('HANDSHAKE_FAILED')).toBe('the socket closed before it was open');
    expect(textOf('LINK_DEAD')).toMatch(/^nothing was heard from the peer within the deadline/);
    expect(textOf('MADE_UP')).toBe('of MADE_UP');
    expect(failureText(null)).toBe('why is not known');
    expect(failureText(null, 'successor.welcomed')).toMatch(/^it moved to another socket/);
  });

  test('of a wait says why it is that long', () => {
    const wait: Wait = { at: 0, ms: 500, hold: 'delay', retry: 1, floorMs: 0, event: null, isPrompt: false };
    expect(waitText(wait)).toBe('500 ms for retry 1: backoff');
    expect(waitText({ ...wait, isPrompt: true })).toBe('500 ms for retry 1: tried at once, the first time');
    expect(waitText({ ...wait, event: 'network.online' })).toBe('500 ms for retry 1: the network is back');
    expect(waitText({ ...wait, hold: 'server', floorMs: 400 })).toBe(
      '500 ms for retry 1: asked by the server, at least 400 ms for the server or the rules',
    );
    expect(waitText({ ...wait, hold: 'network' })).toBe('500 ms for retry 1: no network is reported');
    expect(waitText({ ...wait, hold: 'visibility' })).toBe('500 ms for retry 1: the page is hidden');
    expect(waitText({ ...wait, hold: 'page', ms: null })).toBe(
      'until the page lives again for retry 1: the page is frozen',
    );
    expect(waitText({ ...wait, hold: null, ms: null, retry: null })).toBe('a time that is not known');
  });

  test('of a name stays in its line', () => {
    expect(oneLine('a\n\u202eb\u2028c')).toBe('a  b c');
    expect(nameText(`wss://host/?token=1 ${'x'.repeat(500)}`)).toHaveLength(101);
    expect(nameText('see wss://host/?token=1')).toBe('see wss://…');
  });
});
