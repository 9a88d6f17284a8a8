import { WireClose } from './close-codes.ts';

/** What the peer did against the protocol: it ends the connection with this code, and takes nothing else with it. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation';
  readonly closeCode: number;

  constructor(message: string, closeCode: number = WireClose.protocolViolation) {
    super(message);
    this.closeCode = closeCode;
  }
}

/** The peer sent more than was agreed to. */
export function tooBig(what: string, bytes: number, limit: number): ProtocolViolation {
  return new ProtocolViolation(`${what} has ${bytes} bytes; ${limit} are allowed`, WireClose.frameTooBig);
}
