import { describe, expect, test } from 'vitest';

import type { DiagnosticStep, DiagnosticStepId } from '../src/diagnosis.ts';
import { Examination, type ExaminationOptions, type Patient } from '../src/examination.ts';
import type { ServiceOptions } from '../src/options.ts';
import type { Answered } from '../src/pings.ts';
import { settle, type ServiceSettings } from '../src/settings.ts';
import type { ConnectionStatus } from '../src/status.ts';
import type { WebSocketConstructor } from '../src/transport/websocket.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { FakeNodeSocket, FakeSockets } from './support/fake-socket.ts';
import { impossible } from './support/hostile.ts';
import { fateOf } from './support/service.ts';

/** An examination of a service whose sockets open at once and answer no ping, with a clock that goes on whenever nothing else does. */
async function examined(options: Partial<ExaminationOptions> & { service?: Partial<ServiceOptions> } = {}): Promise<{
  of: (id: DiagnosticStepId) => DiagnosticStep;
  steps: DiagnosticStep[];
  clock: SimulatedClock;
  sockets: FakeSockets<FakeNodeSocket>;
}> {
  const { service, clock = new SimulatedClock(), ...more } = options;
  const services = { chat: { url: 'wss://host/', ...service } };
  const sockets = openingSockets();
  const examination = new Examination({
    settings: settle({ services }).services.get('chat') as ServiceSettings,
    facts: {
      ...{ connectionId: 'chat', serviceType: 'chat', terminalId: undefined, sessionId: undefined, params: {} },
      ...{ attemptId: 'd-1', attempt: 0, lastFailure: undefined, isDiagnostic: true },
    },
    patient: undefined,
    clock,
    WebSocket: sockets.WebSocket,
    fetch: undefined,
    isOffline: false,
    signal: new AbortController().signal,
    ...more,
  });
  const steps: DiagnosticStep[] = [];
  const run = (async () => {
    for await (const step of examination.steps()) steps.push(step);
  })();
  const fate = fateOf(run);
  const time = clock as SimulatedClock;
  for (let turn = 0; turn < 200 && fate.kind === 'pending'; turn++)
    await time.advanceAsync(turn % 10 === 9 ? (time.untilNextMs() ?? 0) : 0);
  await run;
  const of = (id: DiagnosticStepId): DiagnosticStep => steps.find((step) => step.id === id) as DiagnosticStep;
  return { of, steps, clock: time, sockets };
}

function openingSockets(): FakeSockets<FakeNodeSocket> {
  return new FakeSockets(
    class extends FakeNodeSocket {
      constructor(url: string, protocols?: string[]) {
        super(url, protocols);
        queueMicrotask(() => {
          this.opens();
        });
      }
    },
  );
}

/** A connection that is open, whose pings are answered as is said. */
function patientOf(
  answer: (answered: Answered, count: number) => boolean,
  status: Partial<ConnectionStatus> = {},
): Patient & { isUsable: boolean } {
  let count = 0;
  return {
    isUsable: true,
    status: () => ({ wire: 'holdfast.v1', generation: 3, lastError: null, ...status }) as ConnectionStatus,
    load: () => ({ waiting: 0, waitingBytes: 0, oldestAt: null }),
    ping: (answered) => answer(answered, ++count),
  };
}

/** A WebSocket that does something of its own. */
function hostile(traits: (socket: FakeNodeSocket) => object): WebSocketConstructor {
  return new FakeSockets(
    class extends FakeNodeSocket {
      constructor(url: string, protocols?: string[]) {
        super(url, protocols);
        Object.defineProperties(this, Object.getOwnPropertyDescriptors(traits(this)));
        queueMicrotask(() => {
          this.opens();
        });
      }
    },
  ).WebSocket;
}

const refuse = (): never => {
  throw new Error('no');
};

describe('an examination of a socket that is hostile', () => {
  test.each<[what: string, traits: (socket: FakeNodeSocket) => object]>([
    ['cannot ping', () => ({ ping: refuse })],
    ['cannot be closed', () => ({ close: refuse, terminate: refuse })],
    [
      'has no protocol to read',
      () => ({
        get protocol() {
          return refuse();
        },
      }),
    ],
    ['has a protocol that is none', () => ({ protocol: 7 })],
    ['cannot be listened to', () => ({ on: refuse })],
    [
      'answers what was not asked',
      (socket) => ({
        ping: () => {
          socket.controls('pong', 'NaN');
        },
      }),
    ],
    [
      'answers at once, and again',
      (socket) => ({
        ping: (mark: string) => {
          socket.controls('pong', mark);
          socket.controls('pong', mark);
        },
      }),
    ],
    [
      'says much',
      (socket) => ({
        ping: () => {
          socket.says('x'.repeat(70_000));
        },
      }),
    ],
    [
      'ends when it is asked',
      (socket) => ({
        ping: () => {
          socket.ends(4401, 'c4n4ry');
        },
      }),
    ],
  ])('that %s is a report like any other, and nothing is left', async (_what, traits) => {
    for (const use of ['plain', 'prefer'] as const) {
      const { steps, clock } = await examined({ WebSocket: hostile(traits), service: { wire: use } });
      expect(steps).toHaveLength(9);
      expect([impossible(steps), clock.pending()]).toEqual([[], 0]);
      expect(JSON.stringify(steps)).not.toContain('c4n4ry');
    }
  });
});

describe('the pings of an examination', () => {
  test('go out one by one, and then at once', async () => {
    const asked: number[] = [];
    const patient = patientOf((answered, count) => {
      asked.push(count);
      answered(10);
      return true;
    });
    const { of } = await examined({ patient });
    expect(asked).toHaveLength(25);
    expect(of('roundTrip')).toMatchObject({ verdict: 'passed', facts: { asked: 5, answered: 5, p50Ms: 10 } });
    expect(of('burst')).toMatchObject({ verdict: 'passed', facts: { sent: 20, answered: 20 } });
  });

  test('end with the first that is not answered within three seconds', async () => {
    const patient = patientOf((answered, count) => {
      if (count < 3) answered(10);
      return true;
    });
    const { of } = await examined({ patient });
    expect(of('roundTrip')).toMatchObject({ verdict: 'warning', durationMs: 3_000, facts: { asked: 3, answered: 2 } });
    expect(of('burst')).toMatchObject({ verdict: 'failed', durationMs: 3_000, facts: { sent: 20, answered: 0 } });
  });

  test('that are answered by nobody have failed', async () => {
    const { of } = await examined({ patient: patientOf(() => true) });
    expect(of('roundTrip')).toMatchObject({ verdict: 'failed', facts: { asked: 1, answered: 0 } });
  });

  test('that cannot be sent are none: that is no fault of the connection', async () => {
    const { of } = await examined({ patient: patientOf(() => false, { wire: 'plain' }) });
    expect(of('roundTrip')).toMatchObject({ verdict: 'skipped', detail: 'The platform has no ping of its own.' });
  });

  test('that throw are not sent', async () => {
    const { of, clock } = await examined({ patient: patientOf(refuse, { wire: 'plain' }) });
    expect([of('roundTrip').verdict, clock.pending()]).toEqual(['skipped', 0]);
  });

  test('end with the connection that they are of', async () => {
    const patient = patientOf((answered, count) => {
      if (count === 3) patient.isUsable = false;
      else answered(10);
      return count !== 3;
    });
    const { of } = await examined({ patient });
    expect(of('roundTrip')).toMatchObject({ verdict: 'warning', detail: 'The connection was lost meanwhile.' });
    expect(of('burst').verdict).toBe('skipped');
  });

  test('of a burst end with the connection that they are of', async () => {
    const patient = patientOf((answered, count) => {
      if (count === 15) patient.isUsable = false;
      else answered(10);
      return count !== 15;
    });
    const { of } = await examined({ patient });
    expect(of('burst')).toMatchObject({ verdict: 'warning', detail: 'The connection was lost meanwhile.' });
  });

  test.each<[what: string, peerNow: (count: number) => number, verdict: string]>([
    ['keeps step', () => 500, 'passed'],
    ['moves', (count) => count * 1_000, 'warning'],
    ['is absurd', () => 1e300, 'warning'],
    ['has no bounds', (count) => (count % 2 === 0 ? Number.MAX_VALUE : -Number.MAX_VALUE), 'warning'],
    ['is none', () => Number.NaN, 'warning'],
  ])('show how the clock of a peer goes that %s', async (_what, peerNow, verdict) => {
    const patient = patientOf((answered, count) => {
      answered(2, peerNow(count));
      return true;
    });
    const { of, steps } = await examined({ patient });
    expect([of('clock').verdict, impossible(steps)]).toEqual([verdict, []]);
  });
});

describe('the figures of an examination', () => {
  test('are none that cannot be, where the clock runs backwards', async () => {
    class BackwardClock extends SimulatedClock {
      #reads = 0;
      monotonicNow(): number {
        return super.now() - 1_000 * ++this.#reads;
      }
    }
    const patient = patientOf((answered) => (answered(2, 5), true));
    for (const each of [patient, undefined]) {
      const { steps } = await examined({
        clock: new BackwardClock(),
        patient: each,
        service: { credentials: () => 't' },
      });
      expect(impossible(steps)).toEqual([]);
      for (const { detail } of steps) expect(detail).not.toMatch(/NaN|Infinity|-\d/);
    }
  });
});
