import { describe, expect, test } from 'vitest';

import { rehearse } from '../../src/audit/rehearse.ts';
import { ConfigurationError } from '../../src/errors.ts';

describe('a rehearsal', () => {
  test('says how the machine begins, and what it does with each event', () => {
    const [begun, connected, ignored] = rehearse({
      machine: 'connection',
      start: { input: { id: 'chat:1' } },
      events: [{ type: 'connect' }, { type: 'socket.closed', generation: 7 }],
    });
    expect(begun).toEqual({ to: 'idle', transitions: [], effects: ['start outbox'], delays: [] });
    expect(connected).toMatchObject({
      to: { live: { connecting: 'queued' } },
      transitions: [{ source: 'connection.idle', on: 'connect', to: ['connection.live'] }],
    });
    expect(ignored).toEqual({ to: { live: { connecting: 'queued' } }, transitions: [], effects: [], delays: [] });
  });

  test('goes on from a state that was seen', () => {
    const start = { to: { detached: 'free' }, context: { connectionId: 'chat:1' }, children: ['watch'] };
    const turns = rehearse({ machine: 'outbox', start, events: [{ type: 'attached' }] });
    expect(turns.map(({ to }) => to)).toEqual([{ detached: 'free' }, { attached: 'flowing' }]);
    expect(turns[1]?.effects).toEqual(['start flow']);
  });

  test('refuses machines that there are not, and what is no beginning', () => {
    const wrong: object[] = [
      { machine: 'session', start: { input: {} }, events: [] },
      { machine: 'connection', start: {}, events: [] },
      { machine: 'connection', start: { to: 'idle', context: {} }, events: [] },
      { machine: 'connection', start: { input: {} }, events: ['connect'] },
    ];
    for (const options of wrong) expect(() => rehearse(options as never)).toThrow(ConfigurationError);
    const nowhere = { to: 'nowhere', context: {}, children: [] };
    expect(() => rehearse({ machine: 'connection', start: nowhere, events: [] })).toThrow();
  });
});
