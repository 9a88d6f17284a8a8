import { describe, expect, test, vi } from 'vitest';

import { CATEGORIES, ConnectionError, ERRORS, HoldfastError, type ErrorCode } from '../src/errors.ts';
import { describeError, USER_MESSAGES } from '../src/messages.ts';

const label = 'Chat';
const codes = Object.keys(ERRORS) as ErrorCode[];

describe('the table of what people are told', () => {
  test('has a sentence for every category, and names no code that does not exist', () => {
    const names = Object.keys(USER_MESSAGES);
    expect(CATEGORIES.filter((category) => !names.includes(category))).toEqual([]);
    expect(names.filter((name) => !(name in ERRORS) && !CATEGORIES.some((category) => category === name))).toEqual([]);
  });

  test.each(Object.entries(USER_MESSAGES))('speaks of the service in a sentence: %s', (_name, text) => {
    expect(text).toMatch(/^(\{service\}|[A-Z]).*\{service\}.*\.$|^\{service\}.*\.$/);
  });
});

describe('an error as people are told it', () => {
  test.each(codes)('is a sentence about the service, for %s', (code) => {
    const text = describeError(new HoldfastError(code), { label });
    expect(text).toMatch(/^[A-Z].*\.$/);
    expect(text).toContain('Chat');
    expect(text).not.toMatch(/[{}_]/);
  });

  test.each<[ErrorCode, string]>([
    ['CONNECTION_LIMIT', 'Too many connections to Chat are open. Please try again later.'],
    ['DRAIN_ABORTED', 'Waiting for messages to Chat to be sent was cancelled.'],
    ['CREDENTIALS_FAILED', 'Signing in to Chat failed.'],
    [
      'REPLY_LOST',
      'The connection to Chat was lost before it answered. It is not known whether it has acted on the request.',
    ],
    ['CLOSED_BY_PEER', 'Chat is not available at the moment.'],
  ])('says what is true of %s', (code, text) => {
    expect(describeError(new HoldfastError(code), { label })).toBe(text);
  });

  test('follows its own category, not the one of its code', () => {
    const error = new ConnectionError('CLOSED_BY_PEER', { category: 'rate_limited' });
    expect(describeError(error, { label })).toBe('Chat is busy. Please wait a moment.');
  });

  test('holds nothing that a peer or a platform wrote', () => {
    const told = 'wss://user:secret@host/?token=secret';
    const error = new ConnectionError('CLOSED_BY_PEER', { message: told, closeReason: told, cause: new Error(told) });
    expect(describeError(error, { label })).toBe('Chat is not available at the moment.');
  });

  test('takes the application’s words: by code, then by category, then the defaults', () => {
    const messages = { timeout: '{service} antwortet nicht.', REQUEST_TIMEOUT: 'Keine Antwort von {service}.' };
    const told = (code: ErrorCode): string => describeError(new HoldfastError(code), { label: 'Der Chat', messages });
    expect(told('REQUEST_TIMEOUT')).toBe('Keine Antwort von Der Chat.');
    expect(told('CREDENTIALS_TIMEOUT')).toBe('Der Chat antwortet nicht.');
    expect(told('QUEUE_FULL')).toMatch(/^Too many messages are waiting for Der Chat/);
  });

  test('can be made by a function, which is given the error and the label', () => {
    const error = new ConnectionError('CONNECTION_LOST', { attempt: 3 });
    const network_error = ({ code }: HoldfastError, name: string): string => `${name}: ${code}`;
    expect(describeError(error, { label, messages: { network_error } })).toBe('Chat: CONNECTION_LOST');
  });

  test.each<[string, () => unknown]>([
    ['throws', () => JSON.parse('') as string],
    ['gives no text', () => 7],
    ['gives a promise', () => Promise.resolve('late')],
  ])('is the default where that function %s, and that is reported once', (_what, make) => {
    const report = vi.fn();
    const messages = { timeout: make as () => string };
    const text = describeError(new HoldfastError('LINK_DEAD'), { label, messages, report });
    expect(text).toBe('Chat did not answer in time.');
    expect(report).toHaveBeenCalledExactlyOnceWith(expect.any(Error));
    expect(describeError(new HoldfastError('LINK_DEAD'), { label, messages })).toBe(text);
  });

  test('takes a label as it is', () => {
    expect(describeError(new HoldfastError('LINK_DEAD'), { label: "$& $' {service}" })).toBe(
      "$& $' {service} did not answer in time.",
    );
  });

  test.each([new Error('wss://host/?token=secret'), { code: 'ECONNREFUSED' }, 'a text', null, undefined])(
    'is as of a bug where it is none of Holdfast’s: %o',
    (caught) => {
      expect(describeError(caught, { label })).toBe('Something went wrong with Chat.');
      const causes: unknown[] = [];
      const fault = ({ cause }: HoldfastError): string => `${causes.push(cause)} of {service}.`;
      expect([describeError(caught, { label, messages: { fault } }), causes]).toEqual(['1 of Chat.', [caught]]);
    },
  );
});
