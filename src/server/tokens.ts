import { createHash } from 'node:crypto';

/** Fills an array with random bytes, as WebCrypto does. */
export type RandomBytes = (bytes: Uint8Array<ArrayBuffer>) => void;

// 256 bits: nobody guesses them, however often he asks
const TOKEN_BYTES = 32;
// enough that two names never meet
const NAME_BYTES = 16;

/** The platform's source of randomness that is fit for secrets. */
export const platformRandom: RandomBytes = (bytes) => {
  globalThis.crypto.getRandomValues(bytes);
};

/** A secret that proves a right: 256 random bits, as text. */
export function tokenFrom(random: RandomBytes): string {
  return textFrom(random, TOKEN_BYTES);
}

/** A name that no other draw gives; it guards nothing. */
export function nameFrom(random: RandomBytes): string {
  return textFrom(random, NAME_BYTES);
}

/** What is kept of a token. It has 256 bits of its own, so a plain hash cannot be turned back. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

function textFrom(random: RandomBytes, length: number): string {
  const bytes = new Uint8Array(length);
  random(bytes);
  return Buffer.from(bytes).toString('base64url');
}
