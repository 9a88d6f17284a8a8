import type { CloseInitiator, ErrorCategory, ErrorCode, RecoveryStrategy } from '../errors.ts';

export type { RecoveryStrategy };

/** One line of the policy table: which failures it covers, what kind of trouble they are, and what is done about them. Conditions that are left out hold always. */
export interface RecoveryRule {
  /** The error's code, or several. */
  failure?: ErrorCode | readonly ErrorCode[];
  /** A close code, or the first and last of a band. Source: RFC 6455, section 7.4; PROTOCOL.md, "Close codes". */
  codes?: number | readonly [first: number, last: number];
  /** The HTTP status that refused the handshake, or the first and last of a band; known only where the platform shows it, as `ws` does. */
  status?: number | readonly [first: number, last: number];
  /** Who ended the socket. */
  initiator?: CloseInitiator;
  /** Which wire the socket spoke; `holdfast.v1` as well while it is not known. */
  wire?: 'plain' | 'holdfast.v1';
  category: ErrorCategory;
  strategy: RecoveryStrategy;
  /** The shortest wait before the retry, in ms. More than an hour is an hour. @default 0 */
  retryAfterMs?: number;
}
