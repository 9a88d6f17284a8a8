import { describe, expect, test } from 'vitest';

import type { Member } from '../src/member.ts';
import type { ServiceOptions } from '../src/options.ts';
import { settle, type Settings } from '../src/settings.ts';
import { subjectOf } from '../src/subject.ts';

const WebSocket = (() => undefined) as never;

const settingsOf = (chat: Partial<ServiceOptions> = {}, more: object = {}): Settings =>
  settle({ services: { chat: { url: 'wss://host/', ...chat } }, WebSocket, ...more });

function memberIn(settings: Settings, state = 'open'): Member {
  const connection = { id: 'chat:one', serviceType: 'chat', status: { state } };
  return {
    connection,
    settings: () => settings.services.get('chat'),
    facts: () => ({ connectionId: 'chat:one', serviceType: 'chat', terminalId: 'one', params: { room: 'a' } }),
    ports: { outbox: { load: { waiting: 3 } }, ping: () => true },
  } as unknown as Member;
}

describe('what is to be diagnosed', () => {
  test('is a connection, with what it is and how it stands', () => {
    const settings = settingsOf();
    const { connectionId, serviceType, options } = subjectOf('chat:one', {
      settings,
      member: memberIn(settings),
      isOffline: true,
    });
    const { patient, facts, isOffline } = options();
    expect([connectionId, serviceType, isOffline]).toEqual(['chat:one', 'chat', true]);
    expect(facts).toMatchObject({
      connectionId: 'chat:one',
      terminalId: 'one',
      params: { room: 'a' },
      isDiagnostic: true,
    });
    expect([patient?.isUsable, patient?.status(), patient?.load(), patient?.ping(() => undefined)]).toEqual([
      true,
      { state: 'open' },
      { waiting: 3 },
      true,
    ]);
  });

  test.each([
    ['open', true],
    ['degraded', true],
    ['connecting', false],
    ['backoff', false],
    ['closing', false],
    ['closed', false],
    ['failed', false],
    ['idle', false],
  ])('is of use while it is %s: %s', (state, isUsable) => {
    const settings = settingsOf();
    const { options } = subjectOf('chat:one', { settings, member: memberIn(settings, state), isOffline: false });
    expect(options().patient?.isUsable).toBe(isUsable);
  });

  test('is a service type, as what nobody has asked for yet', () => {
    const settings = settingsOf({ label: 'Chat' });
    const { connectionId, serviceType, options } = subjectOf('chat', {
      settings,
      member: undefined,
      isOffline: false,
    });
    const { patient, facts, settings: own } = options();
    expect([connectionId, serviceType, patient, own.label]).toEqual([null, 'chat', undefined, 'Chat']);
    expect(facts).toMatchObject({ connectionId: 'chat', serviceType: 'chat', attempt: 0, isDiagnostic: true });
    expect(facts).toMatchObject({ terminalId: undefined, sessionId: undefined, params: {}, lastFailure: undefined });
  });

  test('has another name in each diagnosis', () => {
    const { options } = subjectOf('chat', { settings: settingsOf(), member: undefined, isOffline: false });
    expect(options().facts.attemptId).not.toBe(options().facts.attemptId);
  });

  test('is looked at with what the application hands in, or else with what the platform has', () => {
    const own = (): Promise<Response> => Promise.resolve(new Response());
    const handedIn = subjectOf('chat', {
      settings: settingsOf({}, { fetch: own }),
      member: undefined,
      isOffline: false,
    });
    expect(handedIn.options()).toMatchObject({ WebSocket, fetch: own });
    const settings = settle({ services: { chat: { url: 'wss://host/' } } });
    const platforms = subjectOf('chat', { settings, member: undefined, isOffline: false }).options();
    expect(platforms.fetch).toBe(globalThis.fetch);
    expect(platforms.WebSocket).toBe((globalThis as { WebSocket?: unknown }).WebSocket);
  });
});
