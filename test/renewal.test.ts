import { describe, expect, test } from 'vitest';

import type { ConnectionEvent } from '../machines/facts.ts';
import type { CredentialsProvider } from '../src/options.ts';
import { Renewal } from '../src/renewal.ts';
import type { ServiceSettings } from '../src/settings.ts';
import { deferred, microtasks } from './support/service.ts';

function renewal(credentials?: CredentialsProvider): { own: Renewal; given: string[]; told: string[] } {
  const given: string[] = [];
  const told: string[] = [];
  const own = new Renewal({
    settings: () => ({ credentials }) as unknown as ServiceSettings,
    facts: { connectionId: 'c' } as never,
    give: (token) => given.push(token),
    tell: ({ type }: ConnectionEvent) => told.push(type),
  });
  return { own, given, told };
}

describe('renewing credentials', () => {
  test('asks the provider, gives its token to the server, and is over when the server has taken it', async () => {
    const { own, given, told } = renewal(() => Promise.resolve({ token: 'fresh' }));
    own.taken();
    await microtasks();
    expect([given, told]).toEqual([['fresh'], []]);
    own.taken();
    expect(told).toEqual(['credentials.renewed']);
  });

  test.each<[string, CredentialsProvider | undefined]>([
    ['there is no provider', undefined],
    ['the provider fails', () => Promise.reject(new Error('no'))],
    ['the provider gives nothing', () => undefined as never],
  ])('is over at once when %s', async (_why, credentials) => {
    const { given, told } = renewal(credentials);
    await microtasks();
    expect([given, told]).toEqual([[], ['credentials.spent']]);
  });

  test('that nobody waits for gives nothing away', async () => {
    const token = deferred<string>();
    let isAborted = false;
    const { own, given, told } = renewal(({ signal }) => {
      signal.addEventListener('abort', () => (isAborted = true));
      return token.promise;
    });
    own.abandon();
    token.resolve('late');
    await microtasks();
    expect([given, told, isAborted]).toEqual([[], [], true]);
  });
});
