import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { ConfigurationError } from '../src/errors.ts';
import { EnhancedWebSocketService } from '../src/service.ts';

/** What the constructor says to options. */
function refusalOf(options: unknown): ConfigurationError | null {
  try {
    new EnhancedWebSocketService(options as never);
    return null;
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
}

const withService = (service: object): object => ({ services: { main: { url: 'wss://host/', ...service } } });
const withOption = (option: object): object => ({ ...withService({}), ...option });

const withRule = (change: object): object =>
  withService({ recovery: [{ codes: 1000, strategy: 'manual', category: 'timeout', ...change }] });

const wired = (option: object): object => withService({ wire: { use: 'prefer', ...option } });

const TOO_LONG = 2 ** 31;

describe('options', () => {
  test.each([
    { ...withService({ urlTimeoutMs: 1, connectTimeoutMs: 2 ** 31 - 1, closeTimeoutMs: 0 }) },
    withService({ retry: { baseMs: 1, capMs: 1, promptMs: 0, stableMs: 0, maxRetries: 0, offlineMs: 1, hiddenMs: 1 } }),
    withService({ retry: { maxRetries: Infinity } }),
    withService({ retry: {}, queue: {}, heartbeat: {}, recovery: [], protocols: [] }),
    withService({ queue: { maxMessages: 0, maxBytes: 0 } }),
    withService({ heartbeat: false }),
    withService({ wire: 'required' }),
    withService({ wire: 'prefer' }),
    withService({ wire: 'plain' }),
    withService({ wire: { use: 'prefer', compression: 'window' } }),
    withService({ wire: { use: 'prefer', compression: true, maxFrameBytes: 1_024, maxInflatedBytes: 1_024 } }),
    withService({ wire: { use: 'required', windowMessages: 1, windowBytes: 1 } }),
    withService({ heartbeat: { intervalMs: 1, lateMs: 1, timeoutMs: 2, ping: 'silence' } }),
    withService({ heartbeat: { ping: () => 'ping' } }),
    withService({ credentials: () => 'token' }),
    withService({ credentials: { get: () => 'token', timeoutMs: 1, maxRetries: 0 } }),
    withService({ recovery: [{ codes: [4000, 4999], strategy: 'manual', category: 'timeout', retryAfterMs: 5 }] }),
    withService({ url: '/relative' }),
    withService({ url: new URL('https://host/') }),
    withService({ url: () => 'anything' }),
    { services: {} },
    withOption({ enableMessageQueue: false, enableHealthMonitoring: false, enableAutoRecovery: false }),
    withOption({ maxInactive: 0, unrefTimers: true, inspect: { next: () => undefined } }),
  ])('that hold are taken: case %#', (options) => {
    expect(refusalOf(options)).toBeNull();
  });

  test.each<[path: string, options: object]>([
    ['service', { service: {} }],
    ['enableMessageQeue', withOption({ enableMessageQeue: true })],
    ['services.main.urls', withService({ urls: 'wss://host/' })],
    ['services.main.retry.maxRetry', withService({ retry: { maxRetry: 3 } })],
    ['services.main.queue.maxMessage', withService({ queue: { maxMessage: 3 } })],
    ['services.main.heartbeat.interval', withService({ heartbeat: { interval: 3 } })],
    ['services.main.wire.window', withService({ wire: { use: 'prefer', window: 3 } })],
    ['services.main.credentials.provider', withService({ credentials: { get: () => '', provider: 1 } })],
    ['services.main.recovery.0.code', withRule({ code: 5 })],
  ])('with the misspelt key %s are refused by its name and path', (path, options) => {
    const refusal = refusalOf(options);
    expect(refusal?.code).toBe('INVALID_OPTIONS');
    expect(refusal?.problems).toContain(`${path}: unknown option`);
    expect(refusal?.message).toContain(`${path}: unknown option`);
  });

  const durations: [path: string, make: (value: unknown) => object, least: number][] = [
    ...(['urlTimeoutMs', 'connectTimeoutMs'] as const).map((name) => service(name, 1)),
    service('closeTimeoutMs', 0),
    ...(['baseMs', 'capMs', 'offlineMs', 'hiddenMs'] as const).map((name) => nested('retry', name, 1)),
    ...(['promptMs', 'stableMs'] as const).map((name) => nested('retry', name, 0)),
    ...(['intervalMs', 'lateMs'] as const).map((name) => nested('heartbeat', name, 1)),
    nested('heartbeat', 'timeoutMs', 2),
    [
      'services.main.credentials.timeoutMs',
      (value) => withService({ credentials: { get: () => '', timeoutMs: value } }),
      1,
    ],
    ['services.main.recovery.0.retryAfterMs', (value) => withRule({ retryAfterMs: value }), 0],
  ];

  test.each(durations)('with a %s that no timer keeps are refused', (path, make, least) => {
    for (const value of [least - 1, TOO_LONG, 1.5, Number.NaN, Infinity, '5', null, [5]]) {
      expect([value, refusalOf(make(value))?.problems]).toEqual([
        value,
        [`${path}: must be a whole number of milliseconds from ${least} to 2147483647`],
      ]);
    }
  });

  test.each<[path: string, make: (value: unknown) => object, values: unknown[]]>([
    [
      'services.main.retry.maxRetries',
      (value) => withService({ retry: { maxRetries: value } }),
      [-1, 1.5, NaN, '3', null],
    ],
    ['services.main.queue.maxMessages', (value) => withService({ queue: { maxMessages: value } }), [-1, 1.5, Infinity]],
    ['services.main.queue.maxBytes', (value) => withService({ queue: { maxBytes: value } }), [-1, NaN, '1']],
    [
      'services.main.credentials.maxRetries',
      (v) => withService({ credentials: { get: () => '', maxRetries: v } }),
      [-1],
    ],
    ['services.main.credentials.get', (value) => withService({ credentials: { get: value } }), [undefined, 'token']],
    ['services.main.credentials', (value) => withService({ credentials: value }), ['token', 5]],
    ['services.main.url', (value) => withService({ url: value }), [undefined, 5, null, {}, ['wss://host/']]],
    ['services.main.protocols', (value) => withService({ protocols: value }), ['v1', [5], {}]],
    ['services.main.decide', (value) => withService({ decide: value }), ['stop', {}]],
    ['services.main.heartbeat', (value) => withService({ heartbeat: value }), [true, 5, 'off', null]],
    ['services.main.heartbeat.ping', (value) => withService({ heartbeat: { ping: value } }), ['json', 5, {}]],
    ['services.main.wire', (value) => withService({ wire: value }), ['holdfast.v1', true, null, 5]],
    ['services.main.wire.use', (value) => withService({ wire: { use: value } }), [undefined, 'maybe', 1]],
    ['services.main.wire.compression', (value) => wired({ compression: value }), ['deflate', 1, { windows: 1 }]],
    ['services.main.wire.maxFrameBytes', (value) => wired({ maxFrameBytes: value }), [1_023, Infinity, '2048']],
    ['services.main.wire.maxInflatedBytes', (value) => wired({ maxInflatedBytes: value }), [1_023, 2_000.5, NaN]],
    ['services.main.wire.windowMessages', (value) => wired({ windowMessages: value }), [0, -1, 1.5]],
    ['services.main.wire.windowBytes', (value) => wired({ windowBytes: value }), [0, Infinity]],
    ['services.main.retry', (value) => withService({ retry: value }), [false, 5, []]],
    ['services.main.queue', (value) => withService({ queue: value }), [false, 5, []]],
    ['services.main.recovery', (value) => withService({ recovery: value }), [{}, 'stop']],
    ['services.main.recovery.0', (value) => withService({ recovery: [value] }), [5, null, 'x']],
    ['services.main.recovery.0.strategy', (value) => withRule({ strategy: value }), ['retry', true, undefined]],
    ['services.main.recovery.0.failure', (value) => withRule({ failure: value }), ['NONE', 5, ['LINK_DEAD', 'NONE']]],
    ['services.main.recovery.0.status', (value) => withRule({ status: value }), ['404', [500, 400], -1]],
    ['services.main.recovery.0.initiator', (value) => withRule({ initiator: value }), ['me', 5]],
    ['services.main.recovery.0.wire', (value) => withRule({ wire: value }), ['prefer', 5]],
    [
      'services.main.profile.recovery.0.category',
      (value) => withService({ profile: { codec: 'json', recovery: [{ strategy: 'wait', category: value }] } }),
      ['x'],
    ],
    [
      'services.main.credentials.maxRejections',
      (value) => withService({ credentials: { get: () => 't', maxRejections: value } }),
      [-1, 1.5, Infinity],
    ],
    ['services.main.recovery.0.category', (value) => withRule({ category: value }), [5, undefined, 'banana']],
    ['services.main', (value) => ({ services: { main: value } }), [null, 'wss://host/', 5, []]],
    ['services', (value) => ({ services: value }), [null, undefined, 5, [], 'main']],
    ['enableMessageQueue', (value) => withOption({ enableMessageQueue: value }), ['yes', 1, null]],
    ['enableHealthMonitoring', (value) => withOption({ enableHealthMonitoring: value }), ['yes']],
    ['enableAutoRecovery', (value) => withOption({ enableAutoRecovery: value }), ['yes']],
    ['unrefTimers', (value) => withOption({ unrefTimers: value }), ['yes']],
    ['restarts.most', (value) => withOption({ restarts: { most: value } }), [-1, 1.5, 101, Infinity]],
    ['maxDials', (value) => withOption({ maxDials: value }), [0, 1.5, Infinity]],
    ['maxInactive', (value) => withOption({ maxInactive: value }), [-1, 1.5, Infinity]],
    ['onError', (value) => withOption({ onError: value }), ['log', {}]],
    ['WebSocket', (value) => withOption({ WebSocket: value }), ['ws', {}]],
    ['clock', (value) => withOption({ clock: value }), [{}, { now: () => 0 }, 5]],
    ['random', (value) => withOption({ random: value }), [0.5]],
    ['signals', (value) => withOption({ signals: value }), [{}, () => undefined]],
    ['inspect', (value) => withOption({ inspect: value }), [{}, true]],
  ])('with a %s that is none are refused', (path, make, values) => {
    for (const value of values) {
      const refusal = refusalOf(make(value));
      expect(refusal?.code).toBe('INVALID_OPTIONS');
      expect(refusal?.problems.map((problem) => problem.split(': ')[0])).toEqual([path]);
    }
  });

  test.each([[[1000]], [[1, 2, 3]], [-1], [65_536], ['1000']])('with close codes %j are refused', (codes) => {
    expect(refusalOf(withRule({ codes }))?.problems[0]).toMatch(/^services\.main\.recovery\.0\.codes: /);
  });

  test.each([
    ['services.main.retry.capMs', { retry: { baseMs: 1_000, capMs: 999 } }],
    ['services.main.retry.capMs', { retry: { baseMs: 30_001 } }],
    ['services.main.retry.capMs', { retry: { capMs: 499 } }],
    ['services.main.heartbeat.timeoutMs', { heartbeat: { lateMs: 5_000, timeoutMs: 5_000 } }],
    ['services.main.heartbeat.timeoutMs', { heartbeat: { lateMs: 10_000 } }],
  ])('that contradict each other are refused at %s: case %#', (path, change) => {
    expect(refusalOf(withService(change))?.problems).toEqual([expect.stringMatching(`^${path}: must be `)]);
  });

  test('are refused with every problem at once', () => {
    const refusal = refusalOf({
      services: { a: { url: 5, retry: { baseMs: -1 } }, b: { url: 'wss://host/', x: 1 } },
      maxInactive: -1,
      extra: true,
    });
    expect(refusal?.problems.map((problem) => problem.split(': ')[0])).toEqual([
      'services.a.url',
      'services.a.retry.baseMs',
      'services.b.x',
      'maxInactive',
      'extra',
    ]);
  });

  test.each([
    ['ftp://host/', /: its scheme is none of ws/],
    ['wss://host/#top', /no fragment/],
    ['not a url', /cannot be parsed/],
    ['', /cannot be parsed/],
    [new URL('ftp://host/'), /: its scheme is none of ws/],
  ])('with the URL %s are refused', (url, problem) => {
    const refusal = refusalOf(withService({ url }));
    expect(refusal).toMatchObject({ code: 'INVALID_URL', problems: [expect.stringMatching(problem)] });
    expect(refusal?.problems[0]).toMatch(/^services\.main\.url: /);
  });

  test.each([undefined, null, 5, 'options', [], () => undefined])('that are %o are refused', (options) => {
    expect(refusalOf(options)?.code).toBe('INVALID_OPTIONS');
  });

  test('of any JSON are taken, or refused by a ConfigurationError with its problems', () => {
    const keys = fc.constantFrom(
      'services',
      'main',
      'url',
      'retry',
      'baseMs',
      'queue',
      'heartbeat',
      'recovery',
      '__proto__',
    );
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom(null, true, 0, -1, 1e99, '', 'wss://host/', 'x'),
        fc.array(tie('json'), { maxLength: 3 }),
        fc.dictionary(keys, tie('json'), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          json,
          json.map((service) => withService({ retry: service })),
        ),
        (options) => {
          const refusal = refusalOf(options);
          if (refusal) expect(refusal.problems.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

function service(name: string, least: number): [string, (value: unknown) => object, number] {
  return [`services.main.${name}`, (value) => withService({ [name]: value }), least];
}

function nested(group: string, name: string, least: number): [string, (value: unknown) => object, number] {
  return [`services.main.${group}.${name}`, (value) => withService({ [group]: { [name]: value } }), least];
}
