import { describe, expect, test } from 'vitest';

import { lookUp, reach, secure } from '../../src/cli/network.ts';
import { selfSigned } from '../support/certificate.ts';
import { until } from '../support/deadline.ts';
import { startEndpoint, startRawEndpoint } from '../support/endpoints.ts';
import { freePort } from '../support/server.ts';

const { signal } = new AbortController();
const here = { address: '127.0.0.1', family: 4 };

describe('the lookup of a name', () => {
  test('finds the addresses of this machine', async () => {
    const lookup = await lookUp('localhost', signal);
    expect('addresses' in lookup && lookup.addresses.length).toBeGreaterThan(0);
  });

  test('is not waited for longer than there is time', async () => {
    await expect(lookUp('localhost', AbortSignal.abort())).resolves.toEqual({ problem: 'ETIMEDOUT' });
  });

  test('says what is wrong with a name that cannot be one', async () => {
    // longer than a label may be, so that nobody is asked
    const lookup = await lookUp(`${'a'.repeat(70)}.test`, signal);
    expect(lookup).toMatchObject({ problem: expect.stringMatching(/^E/) as string });
  });
});

describe('connecting', () => {
  test('keeps the first connection, and ends the others', async () => {
    const { port, tcp } = await startRawEndpoint(() => undefined);
    const { attempts, reached } = await reach([here, here], port, signal);
    expect(attempts.map(({ problem }) => problem)).toEqual([null, null]);
    await until('one connection is left', () => tcp.size === 1);
    reached?.socket.destroy();
    await until('none is left', () => tcp.size === 0);
  });

  test('tells of an address that refuses', async () => {
    const { attempts, reached } = await reach([here], await freePort(), signal);
    expect([attempts, reached]).toMatchObject([[{ ...here, problem: 'ECONNREFUSED' }], null]);
  });

  test('takes no longer than there is time', async () => {
    const { attempts } = await reach([here], 9, AbortSignal.abort());
    expect(attempts).toMatchObject([{ problem: 'ETIMEDOUT' }]);
  });
});

describe('TLS', () => {
  async function connected(port: number) {
    const { reached } = await reach([here], port, signal);
    if (!reached) throw new Error('nobody answers');
    return reached.socket;
  }

  test('shows the certificate, and what it is not worth', async () => {
    const { port, tcp } = await startEndpoint({ keyPair: selfSigned({ host: 'example.com' }) });
    const secured = await secure(await connected(port), 'example.com', signal);
    if ('failed' in secured) throw new Error('no TLS');
    const { protocol, problem, certificate, stream } = secured;
    expect([protocol, problem, certificate.subject]).toEqual(['TLSv1.3', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'example.com']);
    expect(certificate.validTo).toBeGreaterThan(Date.now());
    stream.destroy();
    await until('no connection is left', () => tcp.size === 0);
  });

  test.each([
    ['is ended', 'end', true],
    ['is answered with something else', 'answer', true],
    ['is not answered in time', 'nothing', false],
  ])('that %s leaves nothing behind', async (_, what, isError) => {
    const ending = new AbortController();
    const { port, tcp } = await startRawEndpoint((socket) => {
      socket.once('data', () => {
        if (what === 'end') socket.end();
        else if (what === 'answer') socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
        else ending.abort();
      });
    });
    const secured = await secure(await connected(port), '127.0.0.1', ending.signal);
    expect('failed' in secured && secured.failed instanceof Error).toBe(isError);
    expect('failed' in secured).toBe(true);
    await until('no connection is left', () => tcp.size === 0);
  });
});
