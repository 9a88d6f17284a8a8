import { describe, expect, test } from 'vitest';

import { Gate } from '../src/gate.ts';

const aborted = (reason: unknown): { signal: AbortSignal } => ({ signal: AbortSignal.abort(reason) });

describe('a gate', () => {
  test('lets through what may wait or leave', () => {
    const gate = new Gate();
    expect([gate.obstacle({}, true), gate.isClosed]).toEqual([undefined, false]);
  });

  test('says that there is nothing to leave by, where nothing may wait', () => {
    expect(new Gate().obstacle({}, false)).toEqual({ code: 'NOT_OPEN' });
  });

  test('stops what was taken back before it was sent, with the reason of that', () => {
    expect(new Gate().obstacle(aborted('mine'), true)).toEqual({ code: 'SEND_ABORTED', cause: 'mine' });
    expect(new Gate().obstacle({ signal: new AbortController().signal }, true)).toBeUndefined();
  });

  test('that is closed says why, whatever else there is, until it is opened again', () => {
    const gate = new Gate();
    const cause = new Error('over');
    gate.close('CONNECTION_ENDED', cause);
    expect(gate.isClosed).toBe(true);
    expect([gate.obstacle({}, true), gate.obstacle(aborted('mine'), false)]).toEqual(
      new Array(2).fill({ code: 'CONNECTION_ENDED', cause }),
    );
    gate.close('SERVICE_DESTROYED');
    expect(gate.obstacle({}, true)).toEqual({ code: 'SERVICE_DESTROYED' });
    gate.open();
    expect([gate.obstacle({}, true), gate.isClosed]).toEqual([undefined, false]);
  });
});
