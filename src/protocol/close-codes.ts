/**
 * Close codes: the ones the WebSocket protocol names, the ones of `holdfast.v1`, and what a local close may say.
 * Source: RFC 6455 section 7.4, the IANA registry of close codes, the WHATWG WebSockets standard, and PROTOCOL.md.
 */
export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  noStatus: 1005,
  abnormal: 1006,
  invalidPayload: 1007,
  policyViolation: 1008,
  messageTooBig: 1009,
  mandatoryExtension: 1010,
  internalError: 1011,
  serviceRestart: 1012,
  tryAgainLater: 1013,
  badGateway: 1014,
  tlsHandshake: 1015,
  unauthorized: 3000,
  forbidden: 3003,
  timeout: 3008,
} as const;

/** The close codes of `holdfast.v1`. Source: PROTOCOL.md. */
export const WireClose = {
  // 4000 to 4099: the end
  bye: 4000,
  protocolViolation: 4001,
  noCommonVersion: 4002,
  forbidden: 4003,
  replaced: 4004,
  authRejected: 4005,
  frameTooBig: 4006,
  quotaExceeded: 4007,
  // 4100 to 4199: again, after a backoff
  overloaded: 4100,
  rateLimited: 4101,
  slowConsumer: 4102,
  serverFault: 4103,
  // 4200 to 4299: again soon, and resume
  draining: 4200,
  gap: 4201,
  pingTimeout: 4202,
  rebalanced: 4203,
  helloTimeout: 4204,
  // 4300 to 4399: do what it says, then again
  authExpired: 4300,
  sessionLost: 4301,
} as const;

const MAX_REASON_BYTES = 123;

/** Whether a close() of ours may carry this code: browsers allow 1000 and 3000 to 4999 only. */
export function isSendableCloseCode(code: number): boolean {
  return code === 1000 || (Number.isInteger(code) && code >= 3000 && code <= 4999);
}

/**
 * A close reason that a close frame can carry: cut at a character so that it stays within 123 bytes of UTF-8.
 * Source: RFC 6455, section 5.5.
 */
export function clampCloseReason(reason: string): string {
  let bytes = 0;
  let clamped = '';
  for (const character of reason) {
    bytes += utf8Length(character.codePointAt(0) ?? 0);
    if (bytes > MAX_REASON_BYTES) break;
    clamped += character;
  }
  return clamped;
}

function utf8Length(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}
