export type Data = string | Uint8Array<ArrayBuffer>;
/** What travels in one direction of a connection. */
export type Parcel =
  | { kind: 'handshake' }
  | { kind: 'opened'; protocol: string }
  | { kind: 'data'; data: Data }
  | { kind: 'close'; code: number; reason: string }
  | { kind: 'reset' };
