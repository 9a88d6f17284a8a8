import { describe, expect, test } from 'vitest';

import {
  AuditError,
  CATEGORIES,
  ConfigurationError,
  ConnectionError,
  ERRORS,
  FaultError,
  HoldfastError,
  InboundError,
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
  'migration',
  'fault',
];

describe('the table of errors', () => {
  test.each(codes)('says of %s what kind it is, how bad, and what happened', (code) => {
    const [category, severity, message] = ERRORS[code];
    expect(categories).toContain(category);
    expect(['warning', 'error', 'fatal']).toContain(severity);
    expect(message).toMatch(/^[A-Z].*[^.]\.$/);
  });

  test('knows the categories of connections, of the library, and of a migration', () => {
    expect(CATEGORIES).toEqual(categories);
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
    ['AuditError', new AuditError('AUDIT_SINK_FAILED', { sink: 'file' })],
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
      strategy: 'wait' as const,
      httpStatus: 503,
    };
    const error = new ConnectionError('CLOSED_BY_PEER', { ...told, cause: 'x', retryable: true });
    expect(error).toMatchObject({ ...told, cause: 'x', retryable: true, code: 'CLOSED_BY_PEER' });
    expect(new ConnectionError('CONNECTION_LOST')).toMatchObject({
      closeCode: undefined,
      closeReason: undefined,
      initiator: undefined,
      generation: undefined,
      attempt: undefined,
      strategy: undefined,
      httpStatus: undefined,
    });
  });

  test('let a message tell whether sending it again can duplicate it', () => {
    expect(new MessageError('SEND_FAILED', { outcome: 'unknown' }).outcome).toBe('unknown');
    expect(new MessageError('QUEUE_FULL').outcome).toBe('not_sent');
  });

  test('let trouble of an audit log tell which sink it was, and what its server answered', () => {
    expect(new AuditError('AUDIT_LOG_INVALID', { sink: 'file' })).toMatchObject({
      sink: 'file',
      httpStatus: undefined,
    });
    const refused = new AuditError('AUDIT_SINK_FAILED', { sink: 'http', httpStatus: 503, retryAfterMs: 1_000 });
    expect(refused.toJSON()).toMatchObject({ sink: 'http', httpStatus: 503, retryAfterMs: 1_000 });
  });
});

const SECRET = 'eyJhbGciOiJIUzI1NiJ9.c2VjcmV0';
const leaky = Object.assign(new TypeError(`fetch of https://host/?token=${SECRET} failed`), {
  code: 'ECONNREFUSED',
  url: `https://host/?token=${SECRET}`,
});
const told = {
  message: `Told by the peer: wss://user:${SECRET}@host/?token=${SECRET}.`,
  connectionId: 'c',
  serviceType: 's',
  cause: leaky,
};

describe('an error as JSON', () => {
  test.each([
    new HoldfastError('URL_FAILED', told),
    new ConfigurationError('INVALID_URL', told),
    new ConnectionError('CLOSED_BY_PEER', {
      ...told,
      closeCode: 4000,
      closeReason: `not ${SECRET}`,
      initiator: 'peer',
    }),
    new MessageError('NOT_ENCODABLE', told),
    new InboundError('NOT_DECODABLE', `{"token":"${SECRET}"`, told),
    new FaultError('LISTENER_THREW', told),
    new AuditError('AUDIT_SINK_FAILED', { ...told, sink: 'http' }),
  ])('holds no token and no URL, whoever wrote them (pain 60): %o', (error) => {
    const text = JSON.stringify(error);
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain('://');
    expect(JSON.parse(text)).toMatchObject({
      name: error.name,
      code: error.code,
      message: ERRORS[error.code][2],
      cause: { name: 'TypeError', code: 'ECONNREFUSED' },
    });
  });

  test('has what is known, and only that', () => {
    expect(new HoldfastError('QUEUE_FULL').toJSON()).toEqual({
      name: 'HoldfastError',
      code: 'QUEUE_FULL',
      category: 'queue',
      severity: 'error',
      message: 'The queue of waiting messages is full.',
      retryable: false,
    });
    const details = { closeCode: 1013, initiator: 'peer', httpStatus: 429, generation: 2, attempt: 1 } as const;
    const error = new ConnectionError('CLOSED_BY_PEER', { ...details, strategy: 'wait', retryAfterMs: 5_000 });
    expect(error.toJSON()).toMatchObject({ ...details, strategy: 'wait', retryAfterMs: 5_000 });
    expect(new MessageError('SEND_FAILED', { outcome: 'unknown' }).toJSON()).toMatchObject({ outcome: 'unknown' });
    const problems = ['services.chat.url: is required'];
    expect(new ConfigurationError('INVALID_OPTIONS', { problems }).toJSON()).toMatchObject({ problems });
  });

  test.each([
    [SECRET, { name: 'string' }],
    [null, { name: 'null' }],
    [{ name: SECRET, code: `https://${SECRET}` }, { name: 'object' }],
    [{ code: 7 }, { name: 'object', code: 7 }],
    [new ConnectionError('LINK_DEAD'), { name: 'ConnectionError', code: 'LINK_DEAD' }],
  ])('says of its cause %o what kind of thing it was, and no more', (cause, kind) => {
    expect(new HoldfastError('URL_FAILED', { cause }).toJSON().cause).toEqual(kind);
  });

  test('is made of a cause whose fields cannot be read, too', () => {
    const cause = Object.defineProperty({}, 'code', { get: () => JSON.parse('') as never });
    expect(new HoldfastError('URL_FAILED', { cause }).toJSON().cause).toEqual({ name: 'object' });
  });
});
