import { describe, expect, test } from 'vitest';

import { DEFAULT_POLICY } from '../machines/policy.ts';
import type { QueueOptions, ServiceOptions } from '../src/options.ts';
import { jsonProfile, plainProfile } from '../src/protocol/profile.ts';
import { amend, settle, type ServiceSettings } from '../src/settings.ts';

const URL_ONLY = { url: 'wss://host/' };

function settled(service: Partial<ServiceOptions> = {}, options: object = {}): ServiceSettings {
  const { services } = settle({ services: { main: { ...URL_ONLY, ...service } }, ...options });
  return services.get('main') as ServiceSettings;
}

describe('settings', () => {
  test('of nothing but a URL are the documented defaults', () => {
    expect(settled()).toEqual({
      url: 'wss://host/',
      label: 'main',
      protocols: [],
      credentials: undefined,
      decide: undefined,
      queue: {
        maxMessages: 1_000,
        maxBytes: 1_048_576,
        overflow: 'reject',
        maxMessageBytes: Infinity,
        highWaterBytes: 524_288,
        lowWaterBytes: 131_072,
        maxBatchMessages: 256,
        maxBatchBytes: 65_536,
        lingerMs: 0,
      },
      profile: plainProfile,
      ping: 'auto',
      slowMs: 500,
      wire: {
        choice: 'plain',
        compression: false,
        limits: { frame: 1_048_576, inflated: 4_194_304, win: { m: 2_048, b: 1_048_576 } },
      },
      connectTimeoutMs: 10_000,
      priority: 'normal',
      maxConnections: Infinity,
      pool: undefined,
      policy: DEFAULT_POLICY,
    });
    expect(settle({ services: {} })).toMatchObject({
      queueing: true,
      maxInactive: 100,
      errorHistory: 100,
      maxDials: 64,
    });
  });

  test('take every option where it belongs (original fault 29)', () => {
    const get = (): string => 'token';
    const ping = (): string => 'ping';
    const queue: Required<QueueOptions> = {
      maxMessages: 13,
      maxBytes: 14,
      overflow: 'wait',
      maxMessageBytes: 21,
      highWaterBytes: 22,
      lowWaterBytes: 20,
      maxBatchMessages: 23,
      maxBatchBytes: 24,
      lingerMs: 25,
    };
    expect(
      settled({
        urlTimeoutMs: 1,
        connectTimeoutMs: 2,
        drainTimeoutMs: 18,
        closeTimeoutMs: 3,
        credentials: { get, timeoutMs: 4, maxRetries: 5 },
        retry: { baseMs: 6, capMs: 7, promptMs: 5, stableMs: 9, maxRetries: 10, offlineMs: 11, hiddenMs: 12 },
        queue,
        profile: jsonProfile,
        heartbeat: { intervalMs: 15, lateMs: 16, timeoutMs: 17, ping },
      }),
    ).toMatchObject({
      credentials: get,
      queue,
      profile: jsonProfile,
      ping,
      policy: {
        urlTimeoutMs: 1,
        connectTimeoutMs: 2,
        drainTimeoutMs: 18,
        closeTimeoutMs: 3,
        credentialsTimeoutMs: 4,
        maxCredentialsRetries: 5,
        backoff: { baseMs: 6, capMs: 7, promptMs: 5, offlineMs: 11, hiddenMs: 12 },
        stableMs: 9,
        maxRetries: 10,
        heartbeat: { intervalMs: 15, lateMs: 16, timeoutMs: 17 },
      },
    });
  });

  test.each(['required', 'prefer', 'plain'] as const)('take the wire %s by its name, and in an object', (use) => {
    const { wire, policy } = settled({ wire: use });
    expect([wire.choice, policy.wire]).toEqual([use, use]);
    expect(settled({ wire: { use } })).toEqual(settled({ wire: use }));
  });

  test('say on the wire what this side takes', () => {
    const wire = {
      use: 'required',
      compression: true,
      maxFrameBytes: 2_000,
      maxInflatedBytes: 3_000,
      windowMessages: 4,
      windowBytes: 5,
    } as const;
    expect(settled({ wire }).wire).toEqual({
      choice: 'required',
      compression: true,
      limits: { frame: 2_000, inflated: 3_000, win: { m: 4, b: 5 } },
    });
    expect(settled({ wire: { ...wire, windowBytes: undefined as never } }).wire.limits.win).toEqual({
      m: 4,
      b: 1_048_576,
    });
  });

  test('keep a 0 as a 0 (original fault 29)', () => {
    const { policy } = settled({ retry: { maxRetries: 0, promptMs: 0, stableMs: 0 }, closeTimeoutMs: 0 });
    expect(policy).toMatchObject({ maxRetries: 0, stableMs: 0, closeTimeoutMs: 0, backoff: { promptMs: 0 } });
  });

  test.each([
    { timeoutMs: 2, lateMs: 1 },
    { timeoutMs: 3, lateMs: 1 },
    { timeoutMs: 8_000, lateMs: 2_000 },
  ])('call a link late after a quarter of $timeoutMs ms', ({ timeoutMs, lateMs }) => {
    expect(settled({ heartbeat: { timeoutMs } }).policy.heartbeat).toMatchObject({ timeoutMs, lateMs });
  });

  test.each([
    ['heartbeat: false', { heartbeat: false as const }, {}],
    ['enableHealthMonitoring: false', { heartbeat: { intervalMs: 5 } }, { enableHealthMonitoring: false }],
  ])('watch no link with %s', (_what, service, options) => {
    expect(settled(service, options).policy.heartbeat).toBeNull();
  });

  test('allow no retry with enableAutoRecovery off, whatever the service says', () => {
    expect(settled({ retry: { maxRetries: 7 } }, { enableAutoRecovery: false }).policy.maxRetries).toBe(0);
  });

  test('have a policy that survives JSON: no limit is null', () => {
    const { policy } = settled({
      retry: { maxRetries: Infinity },
      credentials: { get: () => '', maxRetries: Infinity },
    });
    expect(policy).toMatchObject({ maxRetries: null, maxCredentialsRetries: null });
    expect(JSON.parse(JSON.stringify(policy))).toEqual(policy);
  });
});

describe('amended settings', () => {
  const present = settle({
    services: {
      main: { ...URL_ONLY, retry: { baseMs: 10, maxRetries: 3 }, heartbeat: { intervalMs: 50 } },
      chat: { url: 'wss://chat/' },
    },
    maxInactive: 7,
  });

  test('keep what the patch does not mention', () => {
    const amended = amend(present, { services: { main: { retry: { maxRetries: 5 }, heartbeat: { timeoutMs: 99 } } } });
    expect(amended.services.get('main')?.policy).toMatchObject({
      maxRetries: 5,
      backoff: { baseMs: 10 },
      heartbeat: { intervalMs: 50, timeoutMs: 99 },
    });
    expect([amended.services.get('chat'), amended.maxInactive]).toEqual([present.services.get('chat'), 7]);
  });

  test('merge what is said of a wire into what was said; a name replaces all of it', () => {
    const wired = amend(present, { services: { main: { wire: { use: 'prefer', windowMessages: 9 } } } });
    const limits = (settings: typeof wired) => settings.services.get('main')?.wire;
    const merged = amend(wired, { services: { main: { wire: { use: 'required', windowBytes: 7 } } } });
    expect(limits(merged)).toMatchObject({ choice: 'required', limits: { win: { m: 9, b: 7 } } });
    const named = amend(merged, { services: { main: { wire: 'prefer' } } });
    expect(limits(named)).toMatchObject({ choice: 'prefer', limits: { win: { m: 2_048, b: 1_048_576 } } });
    const again = amend(named, { services: { main: { wire: { use: 'plain', windowMessages: 3 } } } });
    expect(limits(again)).toMatchObject({ choice: 'plain', limits: { win: { m: 3, b: 1_048_576 } } });
  });

  test('leave the present ones as they were', () => {
    amend(present, { services: { main: { retry: { maxRetries: 5 } } }, maxInactive: 1 });
    expect([present.services.get('main')?.policy.maxRetries, present.maxInactive]).toEqual([3, 7]);
  });

  test('may know a new service, if it says where it lives', () => {
    expect(amend(present, { services: { logs: { url: 'wss://logs/' } } }).services.get('logs')?.url).toBe(
      'wss://logs/',
    );
    expect(() => amend(present, { services: { logs: {} } })).toThrow(/services\.logs\.url: is required/);
  });

  test('may turn the heartbeat off and on', () => {
    const off = amend(present, { services: { main: { heartbeat: false } } });
    expect(off.services.get('main')?.policy.heartbeat).toBeNull();
    const on = amend(off, { services: { main: { heartbeat: { intervalMs: 9 } } } });
    expect(on.services.get('main')?.policy.heartbeat).toMatchObject({ intervalMs: 9 });
  });

  test.each(['WebSocket', 'clock', 'random', 'signals', 'inspect', 'restarts', 'unrefTimers'])(
    'refuse %s, which only the constructor takes, by name',
    (name) => {
      expect(() => amend(present, { [name]: undefined })).toThrow(`${name}: only the constructor takes it`);
    },
  );

  test('are refused as a whole when they contradict what was there', () => {
    expect(() => amend(present, { services: { main: { retry: { capMs: 9 } } } })).toThrow(
      /capMs: must be at least baseMs/,
    );
    expect(() => amend(present, { services: { main: { url: 'ftp://host/' } } })).toThrow(/its scheme is none of ws/);
  });
});
