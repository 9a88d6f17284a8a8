/** The SHA-256 of a text in UTF-8, as 64 hex digits. A promise where the platform knows no other way. Source: FIPS 180-4. */
export type Digest = (text: string) => string | Promise<string>;

interface NodeCrypto {
  hash?: (algorithm: string, text: string, encoding: 'hex') => string;
}

/** The platform's SHA-256: that of WebCrypto or, in Node, the same function at once, which costs a fifth. */
export const sha256: Digest = synchronous() ?? webDigest;

/** Whether there is one: browsers have WebCrypto in secure contexts only. */
export function canDigest(): boolean {
  return sha256 !== webDigest || (globalThis.crypto as Partial<Crypto> | undefined)?.subtle !== undefined;
}

/** SHA-256 through WebCrypto. */
export async function webDigest(text: string): Promise<string> {
  return hexOf(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}

/** Bytes as hex digits. */
export function hexOf(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// there is no other way to a module of Node that a bundler for browsers does not stumble over
function synchronous(): Digest | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => NodeCrypto | undefined } };
  const hash = process?.getBuiltinModule?.('node:crypto')?.hash;
  return hash && ((text) => hash('sha256', text, 'hex'));
}
