import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';

import { createSigner, createVerifier } from '../../src/audit/signature.ts';

const SECRET = new Uint8Array(32).fill(7);
const HASH = 'ab'.repeat(32);
const HMAC = { name: 'HMAC', hash: 'SHA-256' };

describe('a signature by HMAC', () => {
  test('is that of the text that the format says, in base64', async () => {
    const signer = createSigner({ key: SECRET, name: 'spring' });
    const expected = createHmac('sha256', SECRET).update(`holdfast-audit:1:3:${HASH}`).digest('base64');
    expect([signer.algorithm, signer.key]).toEqual(['HMAC-SHA-256', 'spring']);
    expect(await signer.sign(3, HASH)).toBe(expected);
  });

  test('holds for its key, segment and hash alone', async () => {
    const signature = await createSigner({ key: SECRET, name: 'spring' }).sign(3, HASH);
    const verifier = createVerifier({ key: SECRET });
    expect(verifier).toMatchObject({ algorithm: 'HMAC-SHA-256', key: null });
    expect(await verifier.verify({ segment: 3, signature }, HASH)).toBe(true);
    expect(await verifier.verify({ segment: 4, signature }, HASH)).toBe(false);
    expect(await verifier.verify({ segment: 3, signature }, 'cd'.repeat(32))).toBe(false);
    const other = createVerifier({ key: new Uint8Array(32).fill(8), name: 'spring' });
    expect(await other.verify({ segment: 3, signature }, HASH)).toBe(false);
  });

  test.each([['no base64 ☃'], [''], ['AAAA'], [undefined], [7]])('is wrong where it is none: %j', async (signature) => {
    const verifier = createVerifier({ key: SECRET });
    expect(await verifier.verify({ segment: 1, signature: signature as string }, HASH)).toBe(false);
  });

  test('takes a key of WebCrypto, and keeps bytes that are cleared afterwards', async () => {
    const key = await crypto.subtle.importKey('raw', SECRET, HMAC, false, ['sign']);
    const bytes = new Uint8Array(SECRET);
    const signer = createSigner({ key: bytes, name: 'spring' });
    bytes.fill(0);
    expect(await signer.sign(1, HASH)).toBe(await createSigner({ key, name: 'spring' }).sign(1, HASH));
  });
});

describe('a signature by Ed25519', () => {
  const pair = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  });
  const bytes = Buffer.from(`holdfast-audit:1:3:${HASH}`);
  const privateKey = createPrivateKey({ key: pair.privateKey, format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey({ key: pair.publicKey, format: 'der', type: 'spki' });

  test('is made and verified as others do it', async () => {
    const own = await crypto.subtle.importKey('pkcs8', new Uint8Array(pair.privateKey), 'Ed25519', false, ['sign']);
    const known = await crypto.subtle.importKey('spki', new Uint8Array(pair.publicKey), 'Ed25519', false, ['verify']);
    const signer = createSigner({ key: own, name: 'spring' });
    const verifier = createVerifier({ key: known, name: 'spring' });
    expect([signer.algorithm, verifier.algorithm, verifier.key]).toEqual(['Ed25519', 'Ed25519', 'spring']);
    const signature = await signer.sign(3, HASH);
    expect(verify(null, bytes, publicKey, Buffer.from(signature, 'base64'))).toBe(true);
    const theirs = sign(null, bytes, privateKey).toString('base64');
    expect(await verifier.verify({ segment: 3, signature: theirs }, HASH)).toBe(true);
    expect(await verifier.verify({ segment: 2, signature: theirs }, HASH)).toBe(false);
    expect(await verifier.verify({ segment: 3, signature: theirs.slice(4) }, HASH)).toBe(false);
  });

  test('cannot be made with the public key', async () => {
    const key = await crypto.subtle.importKey('spki', new Uint8Array(pair.publicKey), 'Ed25519', true, ['verify']);
    expect(() => createSigner({ key, name: 'spring' })).toThrow(/key: must be a CryptoKey .* that may sign/);
  });
});

describe('a key', () => {
  test.each([[new Uint8Array(15)], ['secret'], [null], [{}], [undefined]])('is refused: %j', (key) => {
    expect(() => createSigner({ key: key as Uint8Array, name: 'spring' })).toThrow(/^Invalid options: key:/);
    expect(() => createVerifier({ key: key as Uint8Array })).toThrow(/^Invalid options: key:/);
  });

  test('of another hash is refused, and a signer without a name', async () => {
    const key = await crypto.subtle.importKey('raw', SECRET, { name: 'HMAC', hash: 'SHA-512' }, false, ['sign']);
    expect(() => createSigner({ key, name: 'spring' })).toThrow(/SHA-256/);
    expect(() => createSigner({ key: SECRET, name: '' })).toThrow(/name: must be a string/);
  });
});
