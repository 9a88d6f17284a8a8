import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { readAddress } from '../../src/cli/address.ts';
import { Journal } from '../../src/cli/journal.ts';
import { readOptions } from '../../src/cli/options.ts';
import { travel } from '../../src/cli/passage.ts';
import type { Scene } from '../../src/cli/scene.ts';
import { selfSigned } from '../support/certificate.ts';
import { until } from '../support/deadline.ts';
import { startEndpoint } from '../support/endpoints.ts';
import { freePort } from '../support/server.ts';

function sceneOf(...args: string[]): Scene {
  const understood = readOptions(args);
  if (understood.wish !== 'examine') throw new Error('the options are wrong');
  const { options } = understood;
  const { target } = readAddress(options.url);
  if (!target) throw new Error('the URL is wrong');
  const journal = new Journal(
    () => undefined,
    () => 0,
  );
  const { signal } = new AbortController();
  return { target, options, journal, WebSocket, userAgent: 'test', tame: String, signal };
}

describe('the way to a host', () => {
  test('leads to a connection, and to another one like it', async () => {
    const { url, port, tcp } = await startEndpoint();
    const scene = sceneOf(url.replace('127.0.0.1', 'localhost'));
    const passage = await travel(scene);
    expect(scene.journal.steps.map(({ id, verdict }) => [id, verdict])).toEqual([
      ['name', 'passed'],
      ['network', 'passed'],
      ['tls', 'skipped'],
    ]);
    const again = await passage?.again();
    expect([passage?.stream.remotePort, again?.remotePort]).toEqual([port, port]);
    passage?.stream.destroy();
    again?.destroy();
    await until('no connection is left', () => tcp.size === 0);
  });

  test('leads through TLS both times', async () => {
    const { url, tcp } = await startEndpoint({ keyPair: selfSigned() });
    const scene = sceneOf('--insecure', url);
    const passage = await travel(scene);
    const again = await passage?.again();
    expect([passage?.stream, again]).toMatchObject([{ encrypted: true }, { encrypted: true }]);
    expect(scene.journal.steps.map(({ verdict }) => verdict)).toEqual(['skipped', 'passed', 'warning']);
    passage?.stream.destroy();
    again?.destroy();
    await until('no connection is left', () => tcp.size === 0);
  });

  test('ends where a certificate is not valid, and leaves no connection', async () => {
    const { url, tcp } = await startEndpoint({ keyPair: selfSigned() });
    const scene = sceneOf(url);
    await expect(travel(scene)).resolves.toBeNull();
    expect(scene.journal.steps.at(-1)).toMatchObject({ id: 'tls', verdict: 'failed' });
    await until('no connection is left', () => tcp.size === 0);
  });

  test.each([
    ['nothing listens', async () => `ws://127.0.0.1:${await freePort()}`, 'network'],
    ['the name is none', () => Promise.resolve(`ws://${'a'.repeat(70)}.test`), 'name'],
  ])('ends where %s', async (_, urlOf, id) => {
    const scene = sceneOf(await urlOf());
    await expect(travel(scene)).resolves.toBeNull();
    expect(scene.journal.steps.at(-1)).toMatchObject({ id, verdict: 'failed' });
  });
});
