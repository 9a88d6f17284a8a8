/**
 * Close codes: the ones the WebSocket protocol names, and what a local close may say.
 * Source: RFC 6455 section 7.4, the IANA registry of close codes, and the WHATWG WebSockets standard.
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
