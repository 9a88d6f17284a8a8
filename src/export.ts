import { parseUrl } from './address.ts';
import type { ErrorEntry, ErrorStatistics } from './error-history.ts';
import type { ErrorRecord } from './errors.ts';
import type { HealthInfo, HealthSummary, Recommendation, Traffic } from './health-info.ts';
import type { Member } from './member.ts';
import type { ServiceOptions } from './options.ts';
import type { ServiceSettings, Settings } from './settings.ts';
import type { ConnectionStatus } from './status.ts';

/** Everything that is known of a service, as plain JSON: without tokens, messages, live objects, and what others wrote. */
export interface DiagnosticsExport {
  /** Of this form. */
  version: 1;
  /** In ms since the epoch. */
  at: number;
  /** What was chosen or defaulted, by service type. Of URLs the scheme and the host are left; a provider is only named as one. */
  services: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  summary: HealthSummary;
  connections: readonly {
    status: Omit<ConnectionStatus, 'lastError'> & { lastError: ErrorRecord | null };
    /** `null` while health is not monitored. */
    health: HealthInfo | null;
    recommendations: readonly Recommendation[];
  }[];
  traffic: Readonly<Record<string, Traffic>>;
  errors: { statistics: ErrorStatistics; history: readonly ErrorEntry[] };
}

/** What a service tells of itself. */
export interface ExportedService {
  getHealthInfo(): HealthSummary;
  getTraffic(): Record<string, Traffic>;
  getErrorStatistics(): ErrorStatistics;
  getErrorHistory(): ErrorEntry[];
}

export interface ExportFacts {
  settings: Settings;
  members: Iterable<Member>;
  /** Epoch ms. */
  now: number;
}

/** A service as plain JSON. */
export function exported(service: ExportedService, { settings, members, now }: ExportFacts): DiagnosticsExport {
  return plain({
    version: 1,
    at: now,
    services: Object.fromEntries([...settings.services].map(([type, service]) => [type, optionsOf(service)])),
    summary: service.getHealthInfo(),
    connections: [...members].map(({ connection, monitor }) => {
      const { status } = connection;
      const { lastError } = status;
      return {
        status: { ...status, lastError: lastError?.toJSON() ?? null },
        health: connection.health,
        recommendations: monitor()?.recommendations() ?? [],
      };
    }),
    traffic: service.getTraffic(),
    errors: { statistics: service.getErrorStatistics(), history: service.getErrorHistory() },
  });
}

function optionsOf({
  url,
  protocols,
  credentials,
  decide,
  profile,
  ping,
  ...rest
}: ServiceSettings): Record<string, unknown> {
  return {
    ...rest,
    url: typeof url === 'function' ? 'provider' : placeOf(url),
    // tokens travel as subprotocols where nothing else can carry them
    protocols: typeof protocols === 'function' ? 'provider' : protocols.length,
    credentials: credentials ? 'provider' : 'none',
    decide: decide !== undefined,
    codec: typeof profile.codec === 'string' ? profile.codec : 'own',
    ping: typeof ping === 'function' ? 'own' : ping,
  };
}

// a path may name a customer or hold a token, as a query and user info may
function placeOf(url: ServiceOptions['url']): string {
  const parsed = parseUrl(url);
  if (!parsed.ok) return 'none';
  const { protocol, host } = new URL(parsed.url);
  return `${protocol}//${host}/…`;
}

// JSON has no Infinity: what is unlimited is null
function plain<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}
