import { describe, expect, test } from 'vitest';

import {
  ConfigurationError,
  ConnectionError,
  ERRORS,
  FaultError,
  HoldfastError,
  MessageError,
  type ErrorCode,
} from '../src/errors.ts';

const codes = Object.keys(ERRORS) as ErrorCode[];
const categories = [
  'connection_failed',
  'network_error',
  'timeout',
  'service_unavailable',
  'rate_limited',
  'authentication_failed',
  'permission_denied',
  'resource_not_found',
  'protocol_error',
  'invalid_message',
  'configuration',
  'queue',
  'lifecycle',
  'fault',
];

describe('the table of errors', () => {
  test.each(codes)('says of %s what kind it is, how bad, and what happened', (code) => {
    const [category, severity, message] = ERRORS[code];
    expect(categories).toContain(category);
    expect(['warning', 'error', 'fatal']).toContain(severity);
    expect(message).toMatch(/^[A-Z].*[^.]\.$/);
  });

  test('has codes in upper snake case', () => {
    expect(codes.filter((code) => !/^[A-Z]+(_[A-Z]+)*$/.test(code))).toEqual([]);
  });

  test('says something different for each code', () => {
    expect(new Set(codes.map((code) => ERRORS[code][2])).size).toBe(codes.length);
  });

  test('tells kinds of trouble apart (original fault 33)', () => {
    const ofConnections: ErrorCode[] = [
      'CREDENTIALS_FAILED',
      'URL_FAILED',
      'CONNECT_TIMEOUT',
      'CONNECTION_LOST',
      'CLOSED_BY_PEER',
    ];
    expect(ofConnections.map((code) => ERRORS[code][0])).toEqual([
      'authentication_failed',
      'connection_failed',
      'timeout',
      'network_error',
      'service_unavailable',
    ]);
  });
});

describe('an error', () => {
  test.each(codes)('of code %s takes category, severity and message from the table', (code) => {
    const error = new HoldfastError(code);
    expect([error.code, error.category, error.severity, error.message]).toEqual([code, ...ERRORS[code]]);
  });

  test('knows nothing beside its code until it is told', () => {
    const error = new HoldfastError('QUEUE_FULL');
    expect(error).toMatchObject({ retryable: false, connectionId: undefined, serviceType: undefined });
    expect('cause' in error).toBe(false);
  });

  test('takes what it is told over what the table says', () => {
    const error = new HoldfastError('CLOSED_BY_PEER', {
      message: 'The peer closed: 1013.',
      category: 'rate_limited',
      retryable: true,
      connectionId: 'c1',
      serviceType: 'chat',
    });
    expect(error).toMatchObject({
      message: 'The peer closed: 1013.',
      category: 'rate_limited',
      severity: 'warning',
      retryable: true,
      connectionId: 'c1',
      serviceType: 'chat',
    });
  });

  test.each([new Error('down'), 'down', null, 0, false])('keeps its cause as it was thrown: %o', (cause) => {
    expect(new HoldfastError('URL_FAILED', { cause }).cause).toBe(cause);
  });

  test('has a stack that names its class and message', () => {
    expect(new HoldfastError('URL_FAILED').stack).toContain('The URL provider failed.');
    expect(String(new MessageError('QUEUE_FULL'))).toBe('MessageError: The queue of waiting messages is full.');
  });
});

describe('the classes of errors', () => {
  test.each([
    ['HoldfastError', new HoldfastError('URL_FAILED')],
    ['ConfigurationError', new ConfigurationError('INVALID_OPTIONS')],
    ['ConnectionError', new ConnectionError('CONNECTION_LOST')],
    ['MessageError', new MessageError('QUEUE_FULL')],
    ['FaultError', new FaultError('LISTENER_THREW')],
  ])('are all errors of the library: %s', (name, error) => {
    expect(error).toBeInstanceOf(HoldfastError);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe(name);
  });

  test('let a wrong configuration list its problems', () => {
    const problems = ['services.chat.url: must be a URL'];
    expect(new ConfigurationError('INVALID_OPTIONS', { problems }).problems).toEqual(problems);
    expect(new ConfigurationError('INVALID_OPTIONS').problems).toEqual([]);
  });

  test('let connection trouble tell how the socket ended and which it was', () => {
    const told = {
      closeCode: 1013,
      closeReason: 'busy',
      initiator: 'peer' as const,
      generation: 3,
      attempt: 2,
    };
    const error = new ConnectionError('CLOSED_BY_PEER', { ...told, cause: 'x', retryable: true });
    expect(error).toMatchObject({ ...told, cause: 'x', retryable: true, code: 'CLOSED_BY_PEER' });
    expect(new ConnectionError('CONNECTION_LOST')).toMatchObject({
      closeCode: undefined,
      closeReason: undefined,
      initiator: undefined,
      generation: undefined,
      attempt: undefined,
    });
  });

  test('let a message tell whether sending it again can duplicate it', () => {
    expect(new MessageError('SEND_FAILED', { outcome: 'unknown' }).outcome).toBe('unknown');
    expect(new MessageError('QUEUE_FULL').outcome).toBe('not_sent');
  });
});
