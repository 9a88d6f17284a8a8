import { check, isObject, isText, must, object, required, text } from '../core/rules.ts';
import type { SealRecord } from './record.ts';

/** How a seal is signed. */
export type SignatureAlgorithm = SealRecord['algorithm'];

/** Signs how far a log is. */
export interface Signer {
  readonly algorithm: SignatureAlgorithm;
  /** The name of its key, which each seal says. */
  readonly key: string;
  /**
   * Signs a segment, up to the record of this hash.
   *
   * @returns The signature in base64.
   */
  sign(segment: number, hash: string): Promise<string>;
}

/** Tells whether a seal was made with its key. */
export interface Verifier {
  readonly algorithm: SignatureAlgorithm;
  /** The name of its key; `null` holds for a key of any name. */
  readonly key: string | null;
  /** Never rejects: what is no signature at all is a wrong one. */
  verify(sealed: Pick<SealRecord, 'segment' | 'signature'>, hash: string): Promise<boolean>;
}

/**
 * A key of WebCrypto, HMAC with SHA-256 or Ed25519, or the bytes of a key for HMAC, at least 16, better 32 of them from a random source. Who has a key for HMAC
 * can sign as well as verify; who has the public key of Ed25519 can only verify.
 */
export type AuditKey = AuditCryptoKey | Uint8Array;

/** A `CryptoKey`, whichever library of types it comes from. */
export interface AuditCryptoKey {
  readonly type: string;
  readonly algorithm: { readonly name: string };
  readonly usages: readonly string[];
}

const LEAST_BYTES = 16;
const HMAC = { name: 'HMAC', hash: 'SHA-256' };
const ALGORITHMS = { HMAC: 'HMAC-SHA-256', Ed25519: 'Ed25519' } as const;

/**
 * What signs a log with this key, through WebCrypto.
 *
 * @throws {ConfigurationError} `INVALID_OPTIONS` for another kind of key, or one that is not for signing.
 */
export function createSigner(options: { key: AuditKey; name: string }): Signer {
  check(object({ key: required(keyFor('sign')), name: required(text) }), options);
  const { name } = options;
  const { algorithm, imported } = keyOf(options.key, 'sign');
  return {
    algorithm,
    key: name,
    async sign(segment, hash) {
      const key = await imported();
      return base64Of(await crypto.subtle.sign(key.algorithm.name, key, signedBytes(segment, hash)));
    },
  };
}

/**
 * What verifies the seals of a log with this key, through WebCrypto.
 *
 * @param options - `name`: that of the key, as seals say it. Default: whatever they say.
 * @throws {ConfigurationError} `INVALID_OPTIONS` for another kind of key, or one that is not for verifying.
 */
export function createVerifier(options: { key: AuditKey; name?: string }): Verifier {
  check(object({ key: required(keyFor('verify')), name: text }), options);
  const { algorithm, imported } = keyOf(options.key, 'verify');
  return {
    algorithm,
    key: options.name ?? null,
    async verify({ segment, signature }, hash) {
      const bytes = bytesOf(signature);
      if (!bytes) return false;
      const key = await imported();
      return crypto.subtle.verify(key.algorithm.name, key, bytes, signedBytes(segment, hash));
    },
  };
}

type Usage = 'sign' | 'verify';

function keyFor(usage: Usage): ReturnType<typeof must> {
  return must(
    `a CryptoKey of HMAC with SHA-256 or of Ed25519 that may ${usage}, or at least ${LEAST_BYTES} bytes`,
    (key) => (key instanceof Uint8Array ? key.length >= LEAST_BYTES : isCryptoKey(key) && isFor(key, usage)),
  );
}

// a key of another realm is no instance of this one's class
function isCryptoKey(value: unknown): value is CryptoKey {
  return isObject(value) && isObject(value['algorithm']) && Array.isArray(value['usages']);
}

function isFor(key: CryptoKey, usage: Usage): boolean {
  const { name, hash } = key.algorithm as KeyAlgorithm & { hash?: KeyAlgorithm };
  if (!key.usages.includes(usage)) return false;
  return name === 'Ed25519' || (name === 'HMAC' && hash?.name === 'SHA-256');
}

interface PlacedKey {
  algorithm: SignatureAlgorithm;
  imported: () => Promise<CryptoKey>;
}

function keyOf(key: AuditKey, usage: Usage): PlacedKey {
  if (!(key instanceof Uint8Array)) {
    const algorithm = ALGORITHMS[key.algorithm.name as keyof typeof ALGORITHMS];
    return { algorithm, imported: () => Promise.resolve(key as CryptoKey) };
  }
  // a copy: whoever clears the bytes afterwards does not clear them here
  const bytes = new Uint8Array(key);
  let imported: Promise<CryptoKey> | undefined;
  return {
    algorithm: 'HMAC-SHA-256',
    imported: () => (imported ??= crypto.subtle.importKey('raw', bytes, HMAC, false, [usage])),
  };
}

function signedBytes(segment: number, hash: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`holdfast-audit:1:${segment}:${hash}`);
}

function base64Of(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}

function bytesOf(base64: unknown): Uint8Array<ArrayBuffer> | null {
  if (!isText(base64)) return null;
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
