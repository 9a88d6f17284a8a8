import { describe, expect, test, vi } from 'vitest';

import type { DiagnosticsOptions, DiagnosticsReport } from '../src/diagnosis.ts';
import { Diagnostics, type Subject } from '../src/diagnostics.ts';
import { ConfigurationError } from '../src/errors.ts';
import { settle, type ServiceSettings } from '../src/settings.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { nodeSockets, type FakeNodeSocket, type FakeSockets } from './support/fake-socket.ts';
import { fateOf, type Fate } from './support/service.ts';

const services = { chat: { url: 'wss://host/', connectTimeoutMs: 60_000 } };
const settings = settle({ services }).services.get('chat') as ServiceSettings;

/** A desk before hosts that say nothing by themselves. Targets are connections; of `service …`, types that have none. */
class Desk {
  readonly clock = new SimulatedClock();
  readonly sockets: FakeSockets<FakeNodeSocket> = nodeSockets();
  readonly desk: Diagnostics;
  /** Thrown when an examination begins. */
  fault: Error | undefined;

  constructor() {
    this.desk = new Diagnostics({ clock: this.clock, subject: (target) => this.#subject(target) });
  }

  async asks(target: string, options: DiagnosticsOptions = {}): Promise<Fate<DiagnosticsReport>> {
    const fate = fateOf(this.desk.run(target, options));
    await this.settles();
    return fate;
  }

  async settles(): Promise<void> {
    await vi.dynamicImportSettled();
    for (let turn = 0; turn < 10; turn++) await this.clock.advanceAsync(0);
  }

  /** The newest socket opens, and closes: there is nothing more to see. */
  async ends(): Promise<void> {
    this.sockets.last.opens();
    this.sockets.last.ends(1000);
    await this.settles();
  }

  get left(): unknown {
    return [this.clock.pending(), this.sockets.live.length];
  }

  #subject(target: string): Subject {
    if (target === 'nobody') throw new ConfigurationError('UNKNOWN_CONNECTION');
    const serviceType = target.replace(/^service /, '');
    const facts = {
      ...{ connectionId: target, serviceType, terminalId: undefined, sessionId: undefined, params: {} },
      ...{ attemptId: 'd-1', attempt: 0, lastFailure: undefined, isDiagnostic: true },
    };
    const { WebSocket } = this.sockets;
    return {
      connectionId: serviceType === target ? target : null,
      serviceType,
      options: () => {
        if (this.fault) throw this.fault;
        return { settings, facts, patient: undefined, WebSocket, fetch: undefined, isOffline: false };
      },
    };
  }
}

describe('a diagnosis', () => {
  test('is a report that nobody can change, with the gravest verdict of its steps', async () => {
    const d = new Desk();
    const startedAt = d.clock.now();
    const fate = await d.asks('one');
    await d.clock.advanceAsync(40);
    await d.ends();
    const { value: report } = fate;
    expect(report).toMatchObject({
      connectionId: 'one',
      serviceType: 'one',
      startedAt,
      durationMs: 40,
      verdict: 'failed',
    });
    const parts = [report, report?.steps, ...(report?.steps ?? []), ...(report?.steps.map(({ facts }) => facts) ?? [])];
    expect(parts.every((part) => Object.isFrozen(part))).toBe(true);
    expect(d.left).toEqual([0, 0]);
  });

  test('is one at a time for each, whoever asks', async () => {
    const d = new Desk();
    const fates = [await d.asks('one'), await d.asks('one'), await d.asks('other')];
    expect(d.sockets.all).toHaveLength(2);
    for (const socket of d.sockets.all) {
      socket.opens();
      socket.ends(1000);
    }
    await d.settles();
    expect(fates.map(({ kind }) => kind)).toEqual(['resolved', 'resolved', 'resolved']);
    expect(fates[0]?.value).toBe(fates[1]?.value);
    await d.asks('one');
    expect(d.sockets.all).toHaveLength(3);
  });

  test('of a service type is another than that of a connection, whatever their names', async () => {
    const d = new Desk();
    for (const target of ['service chat', 'chat', 'type chat', 'service type chat']) await d.asks(target);
    expect(d.sockets.all).toHaveLength(4);
  });

  test('is gone with a fault of its own, and the next one begins anew', async () => {
    const d = new Desk();
    d.fault = new Error('broken');
    const fate = await d.asks('one');
    expect(fate.error).toMatchObject({ code: 'INTERNAL_FAULT', cause: d.fault });
    expect(d.left).toEqual([0, 0]);
    d.fault = undefined;
    const next = await d.asks('one');
    await d.ends();
    expect(next.kind).toBe('resolved');
  });
});

describe('who asks for a diagnosis', () => {
  test('may stop waiting: the others get it all the same', async () => {
    const d = new Desk();
    const controller = new AbortController();
    const reason = new Error('enough');
    const [leaving, staying] = [await d.asks('one', { signal: controller.signal }), await d.asks('one')];
    controller.abort(reason);
    await d.settles();
    expect(leaving.error).toMatchObject({ code: 'DIAGNOSTICS_ABORTED', connectionId: 'one', cause: reason });
    expect(staying.kind).toBe('pending');
    await d.ends();
    expect(staying.kind).toBe('resolved');
  });

  test('ends it when nobody waits any more, at once, and whoever asks next begins anew', async () => {
    const d = new Desk();
    const controllers = [new AbortController(), new AbortController()];
    const fates = [];
    for (const { signal } of controllers) fates.push(await d.asks('one', { signal }));
    controllers[0]?.abort();
    expect(d.sockets.live).toHaveLength(1);
    controllers[1]?.abort();
    expect(d.left).toEqual([0, 0]);
    const next = await d.asks('one');
    expect(fates.map(({ kind }) => kind)).toEqual(['rejected', 'rejected']);
    expect([next.kind, d.sockets.all.length]).toEqual(['pending', 2]);
    await d.ends();
    expect(next.kind).toBe('resolved');
  });

  test('may have stopped before: nothing is begun', async () => {
    const d = new Desk();
    const fate = await d.asks('service chat', { signal: AbortSignal.abort() });
    expect(fate.error).toMatchObject({ code: 'DIAGNOSTICS_ABORTED', serviceType: 'chat' });
    expect((fate.error as { connectionId?: string }).connectionId).toBeUndefined();
    expect([d.sockets.constructions, d.clock.pending()]).toEqual([0, 0]);
  });

  test('is not heard of any more once it is over', async () => {
    const d = new Desk();
    const controller = new AbortController();
    const { signal } = controller;
    const removed = vi.spyOn(signal, 'removeEventListener');
    const added = vi.spyOn(signal, 'addEventListener');
    const fate = await d.asks('one', { signal });
    await d.ends();
    expect(removed.mock.calls.length).toBe(added.mock.calls.length);
    controller.abort();
    await d.settles();
    expect(fate.kind).toBe('resolved');
  });

  test.each<[what: string, target: string, options: unknown, code: string]>([
    ['for nobody', 'nobody', {}, 'UNKNOWN_CONNECTION'],
    ['with no options', 'one', null, 'INVALID_OPTIONS'],
    ['with a deadline of nothing', 'one', { deadlineMs: 0 }, 'INVALID_OPTIONS'],
    ['with a deadline that is none', 'one', { deadlineMs: Number.NaN }, 'INVALID_OPTIONS'],
    ['with a deadline that no timer can wait', 'one', { deadlineMs: 2 ** 31 }, 'INVALID_OPTIONS'],
    ['with a signal that is none', 'one', { signal: {} }, 'INVALID_OPTIONS'],
    ['with an option that is none', 'one', { deadline: 5 }, 'INVALID_OPTIONS'],
  ])('%s is refused', async (_what, target, options, code) => {
    const d = new Desk();
    const fate = await d.asks(target, options as DiagnosticsOptions);
    expect([fate.error, d.sockets.constructions, d.clock.pending()]).toMatchObject([{ code }, 0, 0]);
  });
});

describe('the time of a diagnosis', () => {
  test('is up when it says so: what is under way then is a warning, what was to come is skipped', async () => {
    const d = new Desk();
    const fate = await d.asks('one', { deadlineMs: 5_000 });
    await d.clock.advanceAsync(4_999);
    expect(fate.kind).toBe('pending');
    await d.clock.advanceAsync(1);
    await d.settles();
    expect(fate.value).toMatchObject({ durationMs: 5_000, verdict: 'warning' });
    expect(fate.value?.steps.map(({ verdict }) => verdict)).toEqual([
      'passed',
      'skipped',
      'warning',
      ...Array.from({ length: 6 }, () => 'skipped'),
    ]);
    expect(fate.value?.steps[2]?.detail).toBe('Time ran out before it was over.');
    expect(d.left).toEqual([0, 0]);
  });

  test('is that of whoever began it', async () => {
    const d = new Desk();
    const fates = [await d.asks('one', { deadlineMs: 2_000 }), await d.asks('one', { deadlineMs: 9_000 })];
    await d.clock.advanceAsync(2_000);
    await d.settles();
    expect(fates.map(({ kind }) => kind)).toEqual(['resolved', 'resolved']);
  });

  test('is 15 s unless something else is said', async () => {
    const d = new Desk();
    const fate = await d.asks('one');
    await d.clock.advanceAsync(14_999);
    expect(fate.kind).toBe('pending');
    await d.clock.advanceAsync(1);
    await d.settles();
    expect([fate.kind, d.left]).toEqual(['resolved', [0, 0]]);
  });
});

describe('the end of all diagnoses', () => {
  test('leaves nothing of any, at once, and tells whoever waits', async () => {
    const d = new Desk();
    const fates = [await d.asks('one'), await d.asks('one'), await d.asks('other')];
    d.desk.end();
    expect(d.left).toEqual([0, 0]);
    await d.settles();
    for (const { error } of fates) expect(error).toMatchObject({ code: 'SERVICE_DESTROYED' });
    expect(d.left).toEqual([0, 0]);
  });
});
