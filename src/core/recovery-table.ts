import type { RecoveryRule } from '../protocol/recovery-rule.ts';

// what stands before the socket, and what becomes of it without a close code
const FAILURES: readonly RecoveryRule[] = [
  { failure: 'CLOSED_LOCALLY', category: 'lifecycle', strategy: 'manual' },
  { failure: 'PAGE_FROZEN', category: 'lifecycle', strategy: 'reconnect' },
  { failure: 'INTERNAL_FAULT', category: 'fault', strategy: 'reconnect' },
  {
    failure: ['INVALID_URL', 'INVALID_PROTOCOLS', 'NO_WEBSOCKET'],
    category: 'configuration',
    strategy: 'manual',
  },
  { failure: 'CREDENTIALS_FAILED', category: 'authentication_failed', strategy: 'reconnect' },
  {
    failure: [
      'CREDENTIALS_TIMEOUT',
      'URL_TIMEOUT',
      'CONNECT_TIMEOUT',
      'WELCOME_TIMEOUT',
      'GREETING_TIMEOUT',
      'LINK_DEAD',
    ],
    category: 'timeout',
    strategy: 'reconnect',
  },
  { failure: ['URL_FAILED', 'WEBSOCKET_FAILED'], category: 'connection_failed', strategy: 'reconnect' },
  { failure: 'WIRE_UNAVAILABLE', category: 'protocol_error', strategy: 'reconnect' },
  { failure: 'GREETING_FAILED', category: 'protocol_error', strategy: 'reconnect' },
  { failure: 'CHANNEL_REFUSED', category: 'permission_denied', strategy: 'manual' },
];

// a server that is down, or restarts behind its proxy, is expected back
const STATUSES: readonly RecoveryRule[] = [
  { status: 401, category: 'authentication_failed', strategy: 'reauthenticate' },
  { status: 403, category: 'permission_denied', strategy: 'manual' },
  { status: 404, category: 'resource_not_found', strategy: 'manual' },
  { status: 410, category: 'resource_not_found', strategy: 'manual' },
  { status: 408, category: 'timeout', strategy: 'reconnect' },
  { status: 425, category: 'rate_limited', strategy: 'wait' },
  { status: 429, category: 'rate_limited', strategy: 'wait', retryAfterMs: 5_000 },
  { status: 400, category: 'protocol_error', strategy: 'renegotiate' },
  { status: 426, category: 'protocol_error', strategy: 'renegotiate' },
  { status: [300, 499], category: 'protocol_error', strategy: 'manual' },
  { status: 503, category: 'service_unavailable', strategy: 'wait', retryAfterMs: 1_000 },
  { status: [500, 599], category: 'service_unavailable', strategy: 'reconnect' },
];

// source: PROTOCOL.md, "Close codes"
const WIRE_CODES: readonly RecoveryRule[] = [
  { codes: 4001, category: 'protocol_error', strategy: 'manual' },
  { codes: 4002, category: 'protocol_error', strategy: 'renegotiate' },
  { codes: 4003, category: 'permission_denied', strategy: 'manual' },
  { codes: 4005, category: 'authentication_failed', strategy: 'reauthenticate' },
  { codes: 4006, category: 'protocol_error', strategy: 'manual' },
  { codes: 4007, category: 'rate_limited', strategy: 'manual' },
  { codes: [4000, 4099], category: 'service_unavailable', strategy: 'manual' },
  { codes: 4101, category: 'rate_limited', strategy: 'wait' },
  { codes: [4100, 4103], category: 'service_unavailable', strategy: 'reconnect' },
  { codes: 4201, category: 'protocol_error', strategy: 'reconnect' },
  { codes: 4202, category: 'timeout', strategy: 'reconnect' },
  { codes: 4204, category: 'timeout', strategy: 'reconnect' },
  { codes: [4200, 4203], category: 'service_unavailable', strategy: 'reconnect' },
  { codes: 4300, category: 'authentication_failed', strategy: 'reauthenticate' },
  { codes: 4301, category: 'resource_not_found', strategy: 'new_session' },
];

// a peer's 1000 and 1001 are retried: only the application that owns the connection can end it; 30xx are the registry's; 44xx mirrors HTTP's 4xx and 45xx its 5xx,
// as many servers use them
const CODES: readonly RecoveryRule[] = [
  { failure: 'HANDSHAKE_FAILED', codes: [1005, 1006], category: 'connection_failed', strategy: 'reconnect' },
  { failure: 'CLOSED_BY_PEER', codes: [1000, 1001], category: 'service_unavailable', strategy: 'reconnect' },
  { codes: [1002, 1003], category: 'protocol_error', strategy: 'manual' },
  { codes: [1005, 1006], category: 'network_error', strategy: 'reconnect' },
  { codes: 1007, category: 'invalid_message', strategy: 'manual' },
  { codes: 1008, category: 'permission_denied', strategy: 'manual' },
  { codes: [1009, 1010], category: 'protocol_error', strategy: 'manual' },
  { codes: 1011, category: 'service_unavailable', strategy: 'reconnect' },
  { codes: 1012, category: 'service_unavailable', strategy: 'wait', retryAfterMs: 1_000 },
  { codes: 1013, category: 'rate_limited', strategy: 'wait', retryAfterMs: 5_000 },
  { codes: 1014, category: 'service_unavailable', strategy: 'reconnect' },
  { codes: 1015, category: 'connection_failed', strategy: 'reconnect' },
  { codes: 3000, category: 'authentication_failed', strategy: 'reauthenticate' },
  { codes: 3003, category: 'permission_denied', strategy: 'manual' },
  { codes: 3008, category: 'timeout', strategy: 'reconnect' },
  { codes: 4401, category: 'authentication_failed', strategy: 'reauthenticate' },
  { codes: 4403, category: 'permission_denied', strategy: 'manual' },
  { codes: 4404, category: 'resource_not_found', strategy: 'manual' },
  { codes: 4408, category: 'timeout', strategy: 'reconnect' },
  { codes: 4425, category: 'rate_limited', strategy: 'wait' },
  { codes: 4429, category: 'rate_limited', strategy: 'wait', retryAfterMs: 5_000 },
  { codes: [4400, 4499], category: 'protocol_error', strategy: 'manual' },
  { codes: [4500, 4599], category: 'service_unavailable', strategy: 'reconnect' },
  { failure: 'PROTOCOL_VIOLATION', category: 'protocol_error', strategy: 'manual' },
  { failure: 'CONNECTION_LOST', category: 'network_error', strategy: 'reconnect' },
  { failure: 'CLOSED_BY_PEER', category: 'service_unavailable', strategy: 'reconnect' },
];

/**
 * What is done after each failure: the first line that covers it. An application's own lines are asked before these. What no line covers is tried
 * again: most servers invent codes, and few of them are meant to be the end.
 */
export const DEFAULT_RULES: readonly RecoveryRule[] = [
  ...FAILURES,
  ...STATUSES,
  ...WIRE_CODES.map((rule) => ({ ...rule, wire: 'holdfast.v1' as const })),
  ...CODES,
];

/** Whether a handshake was refused with what a server answers that does not take what it was asked for: the name of holdfast.v1, or that it was missing. Source: PROTOCOL.md, "Close codes". */
export function refusesWire(status: number | undefined): boolean {
  return status === 400 || status === 426;
}
