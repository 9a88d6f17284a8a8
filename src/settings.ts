import { DEFAULT_INTENSITY, type RestartIntensity } from '../machines/group.ts';
import { DEFAULT_HEARTBEAT, DEFAULT_POLICY, type ConnectionPolicy, type WireChoice } from '../machines/policy.ts';
import { parseUrl } from './address.ts';
import { MAX_DELAY_MS } from './core/backoff.ts';
import type { Priority } from './core/queue.ts';
import { DEFAULT_SLOW_MS } from './core/score.ts';
import { DEFAULT_QUEUE, type OutboxLimits } from './backlog.ts';
import { ConfigurationError } from './errors.ts';
import type {
  ConfigPatch,
  CredentialsProvider,
  EnhancedWebSocketOptions,
  HeartbeatOptions,
  RetryOptions,
  ServiceOptions,
  WireOptions,
} from './options.ts';
import type { Limits } from './protocol/frames.ts';
import { plainProfile, type Profile } from './protocol/profile.ts';
import { check } from './core/rules.ts';
import { optionsRule, patchRule } from './schema.ts';

/** Options that hold, with every default filled in. Replaced as a whole by an update, never changed. */
export interface Settings {
  readonly options: EnhancedWebSocketOptions;
  readonly services: ReadonlyMap<string, ServiceSettings>;
  readonly queueing: boolean;
  readonly maxInactive: number;
  readonly errorHistory: number;
  readonly maxDials: number;
  readonly intensity: RestartIntensity;
  readonly isMonitored: boolean;
  readonly healthWindowMs: number;
}

/** How one service type behaves: what the machines decide by in `policy`, what the runtime needs beside it. */
export interface ServiceSettings {
  readonly url: ServiceOptions['url'];
  /** What people call it. */
  readonly label: string;
  readonly protocols: NonNullable<ServiceOptions['protocols']>;
  readonly credentials: CredentialsProvider | undefined;
  readonly decide: ServiceOptions['decide'];
  readonly queue: OutboxLimits;
  readonly profile: Profile;
  readonly ping: NonNullable<HeartbeatOptions['ping']>;
  /** A round trip that takes longer is slow, in ms. */
  readonly slowMs: number;
  readonly wire: WireSettings;
  /** From dialling to an open socket, in ms. */
  readonly connectTimeoutMs: number;
  readonly priority: Priority;
  readonly maxConnections: number;
  /** The session that it shares; `undefined` for one of its own. */
  readonly pool: string | undefined;
  /** Whether a diagnosis may open a socket; `undefined`: where that can do no harm. */
  readonly diagnostics: ServiceOptions['diagnostics'];
  readonly policy: ConnectionPolicy;
}

/** How a service takes part in holdfast.v1. */
export interface WireSettings {
  readonly choice: WireChoice;
  readonly compression: NonNullable<WireOptions['compression']>;
  /** What this side takes. */
  readonly limits: Limits;
}

/** What a client takes when nothing else is said. */
const DEFAULT_WIRE = {
  compression: false,
  maxFrameBytes: 1_048_576,
  maxInflatedBytes: 4_194_304,
  windowMessages: 2_048,
  windowBytes: 1_048_576,
} as const satisfies Omit<WireOptions, 'use'>;

/**
 * Checks options and fills in the defaults.
 *
 * @throws {ConfigurationError} `INVALID_OPTIONS`, or `INVALID_URL` for a fixed URL that is none.
 */
export function settle(options: EnhancedWebSocketOptions): Settings {
  check(optionsRule, options);
  requirePools(options.services);
  return {
    // the caller may change its object afterwards; what was agreed on stays
    options: { ...options, services: copied(options.services) },
    services: new Map(
      Object.entries(options.services).map(([type, service]) => [type, settleService(type, service, options)]),
    ),
    queueing: options.enableMessageQueue ?? true,
    maxInactive: options.maxInactive ?? 100,
    errorHistory: options.errorHistory ?? 100,
    maxDials: options.maxDials ?? 64,
    isMonitored: options.enableHealthMonitoring ?? true,
    healthWindowMs: options.healthWindowMs ?? 3_600_000,
    intensity: { ...DEFAULT_INTENSITY, ...given(options.restarts) },
  };
}

/** How the connection behaves that carries a pool: as the service that needed it first, without its profile. */
export function carrierOf(settings: ServiceSettings): ServiceSettings {
  const { connectTimeoutMs } = settings;
  return { ...settings, profile: plainProfile, pool: undefined, policy: { ...settings.policy, connectTimeoutMs } };
}

// services that share a session go to one place, and speak the wire that has sessions
function requirePools(services: EnhancedWebSocketOptions['services']): void {
  const urls = new Map<string, ServiceOptions['url']>();
  const problems = Object.entries(services).flatMap(([type, { pool, wire, url }]) => {
    if (pool === undefined) return [];
    const known = urls.get(pool) ?? url;
    urls.set(pool, known);
    return [
      ...(wireOf(wire).choice === 'required' ? [] : [`services.${type}.wire: must be required with a pool`]),
      ...(isSamePlace(known, url) ? [] : [`services.${type}.url: must be the same throughout a pool`]),
    ];
  });
  // the ids of its connections could be that of a carrier
  const namesakes = urls.size === 0 ? [] : Object.keys(services).filter((type) => /^pool(:|$)/.test(type));
  refuse([...problems, ...namesakes.map((type) => `services.${type}: is the name of what carries pools`)]);
}

// what two functions give is not known; whether they are one is
function isSamePlace(one: ServiceOptions['url'], other: ServiceOptions['url']): boolean {
  return one === other || (typeof one !== 'function' && typeof other !== 'function' && String(one) === String(other));
}

function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new ConfigurationError('INVALID_OPTIONS', { message: `Invalid options: ${problems.join('; ')}.`, problems });
}

/**
 * The settings after a patch, or an error and no change at all.
 *
 * @throws {ConfigurationError} As {@link settle}; also for an option that only the constructor takes.
 */
export function amend({ options }: Settings, patch: ConfigPatch): Settings {
  check(patchRule, patch);
  const services = { ...options.services };
  for (const [type, change] of Object.entries(patch.services ?? {})) {
    const present = services[type];
    // a new service type needs no less than the constructor asks for; the check of the whole finds what is missing
    services[type] = { ...present, ...change, ...nested(present, change) } as ServiceOptions;
    // its connections are part of a session, or have their own
    if (present && present.pool !== services[type].pool) refuse([`services.${type}.pool: cannot be changed`]);
  }
  return settle({ ...options, ...patch, services });
}

function copied(services: EnhancedWebSocketOptions['services']): EnhancedWebSocketOptions['services'] {
  return Object.fromEntries(Object.entries(services).map(([type, service]) => [type, { ...service }]));
}

function nested(present: ServiceOptions | undefined, change: Partial<ServiceOptions>): Partial<ServiceOptions> {
  return {
    ...(change.retry && { retry: { ...present?.retry, ...change.retry } }),
    // a name of a wire replaces everything that was said of it
    ...(typeof change.wire === 'object' &&
      typeof present?.wire === 'object' && { wire: { ...present.wire, ...change.wire } }),
    ...(change.queue && { queue: { ...present?.queue, ...change.queue } }),
    ...(change.heartbeat && { heartbeat: { ...(present?.heartbeat || {}), ...change.heartbeat } }),
  };
}

function settleService(type: string, service: ServiceOptions, options: EnhancedWebSocketOptions): ServiceSettings {
  if (typeof service.url !== 'function') requireUrl(type, service.url);
  const { credentials, heartbeat } = service;
  return {
    url: service.url,
    label: service.label ?? type,
    protocols: service.protocols ?? [],
    credentials: typeof credentials === 'object' ? credentials.get : credentials,
    decide: service.decide,
    queue: { ...DEFAULT_QUEUE, ...given(service.queue) },
    profile: service.profile ?? plainProfile,
    ping: pingOf(heartbeat || {}, service.profile),
    slowMs: (heartbeat || {}).slowMs ?? DEFAULT_SLOW_MS,
    wire: wireOf(service.wire),
    connectTimeoutMs: service.connectTimeoutMs ?? DEFAULT_POLICY.connectTimeoutMs,
    priority: service.priority ?? 'normal',
    maxConnections: service.maxConnections ?? Infinity,
    pool: service.pool,
    diagnostics: service.diagnostics,
    policy: policyOf(service, options),
  };
}

function wireOf(wire: ServiceOptions['wire'] = 'plain'): WireSettings {
  const { use, ...options } = typeof wire === 'object' ? wire : { use: wire };
  const { compression, maxFrameBytes, maxInflatedBytes, windowMessages, windowBytes } = {
    ...DEFAULT_WIRE,
    ...given(options),
  };
  const win = { m: windowMessages, b: windowBytes };
  return { choice: use, compression, limits: { frame: maxFrameBytes, inflated: maxInflatedBytes, win } };
}

// an option that is named and left undefined is left out
function given<Options extends object>(options: Options | undefined): Partial<Options> {
  const entries = Object.entries(options ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<Options>;
}

// the application's own choice, then the wire's own form, then what the platform has
function pingOf({ ping = 'auto' }: HeartbeatOptions, profile: Profile | undefined): ServiceSettings['ping'] {
  if (ping !== 'auto' || !profile?.ping) return ping;
  return () => profile.ping?.();
}

function policyOf(service: ServiceOptions, options: EnhancedWebSocketOptions): ConnectionPolicy {
  const retry = service.retry ?? {};
  const credentials = typeof service.credentials === 'object' ? service.credentials : undefined;
  const watched = (options.enableHealthMonitoring ?? true) && service.heartbeat !== false;
  return {
    ...DEFAULT_POLICY,
    credentialsTimeoutMs: credentials?.timeoutMs ?? DEFAULT_POLICY.credentialsTimeoutMs,
    urlTimeoutMs: service.urlTimeoutMs ?? DEFAULT_POLICY.urlTimeoutMs,
    // a channel is there as soon as its pool is, however long that takes
    connectTimeoutMs:
      service.pool === undefined ? (service.connectTimeoutMs ?? DEFAULT_POLICY.connectTimeoutMs) : MAX_DELAY_MS,
    wire: wireOf(service.wire).choice,
    drainTimeoutMs: service.drainTimeoutMs ?? DEFAULT_POLICY.drainTimeoutMs,
    closeTimeoutMs: service.closeTimeoutMs ?? DEFAULT_POLICY.closeTimeoutMs,
    stableMs: retry.stableMs ?? DEFAULT_POLICY.stableMs,
    maxRetries: (options.enableAutoRecovery ?? true) ? limitOf(retry.maxRetries) : 0,
    maxCredentialsRetries: limitOf(credentials?.maxRetries),
    maxRejections: hasProvider(service) ? (credentials?.maxRejections ?? 2) : null,
    rules: [...(service.recovery ?? []), ...(service.profile?.recovery ?? [])],
    backoff: backoffOf(retry),
    isGraded: options.enableHealthMonitoring ?? true,
    heartbeat: watched ? heartbeatOf(service.heartbeat || {}) : null,
  };
}

// whether an attempt can bring anything that the last one did not
function hasProvider({ credentials, url, protocols }: ServiceOptions): boolean {
  return credentials !== undefined || typeof url === 'function' || typeof protocols === 'function';
}

function backoffOf(retry: RetryOptions): ConnectionPolicy['backoff'] {
  const { backoff } = DEFAULT_POLICY;
  return {
    baseMs: retry.baseMs ?? backoff.baseMs,
    capMs: retry.capMs ?? backoff.capMs,
    promptMs: retry.promptMs ?? backoff.promptMs,
    offlineMs: retry.offlineMs ?? backoff.offlineMs,
    hiddenMs: retry.hiddenMs ?? backoff.hiddenMs,
  };
}

function heartbeatOf(heartbeat: HeartbeatOptions): ConnectionPolicy['heartbeat'] {
  const { intervalMs = DEFAULT_HEARTBEAT.intervalMs, timeoutMs = DEFAULT_HEARTBEAT.timeoutMs } = heartbeat;
  const { promptMs = DEFAULT_HEARTBEAT.promptMs, lateMs = Math.max(1, Math.floor(timeoutMs / 4)) } = heartbeat;
  // who only listens must not expect to hear sooner than was agreed on
  const isSilent = heartbeat.ping === 'silence';
  return { intervalMs, promptMs: isSilent ? MAX_DELAY_MS : promptMs, timeoutMs, lateMs };
}

// JSON has no Infinity, and a policy is recorded
function limitOf(retries = Infinity): number | null {
  return retries === Infinity ? null : retries;
}

function requireUrl(type: string, url: string | URL): void {
  // a path is resolved against the page when it is dialled; on a server there is none, and constructing must be safe there
  if (typeof url === 'string' && url.startsWith('/')) return;
  const parsed = parseUrl(url);
  if (parsed.ok) return;
  throw new ConfigurationError('INVALID_URL', {
    message: `services.${type}.url: ${parsed.problem}`,
    problems: [`services.${type}.url: ${parsed.problem}`],
  });
}
