import { initialTransition } from 'xstate';
import { describe, expect, test } from 'vitest';

import { connectionSetup } from '../../machines/effects.ts';
import { initialContext, type ConnectionContext, type ConnectionEvent } from '../../machines/facts.ts';
import { DEFAULT_POLICY, DELAYS } from '../../machines/policy.ts';
import { failure } from '../../src/core/recovery.ts';
import {
  away,
  closed,
  closedOnWire,
  closedWith,
  connect,
  disconnect,
  inputOf,
  loss,
  offered,
  opened,
  plain,
  refused,
  shared,
  succeeded,
  welcomed,
  refusedWith,
} from '../models/connection-cases.ts';
import { stepThrough } from '../support/machine-graph.ts';

/** An action or a guard as the chart writes it down. */
type Name = string | { type: string; params: Record<string, string> };
type Known = Partial<ConnectionContext>;

const itself = { connectionId: 'c1' };
const lost = closedWith(1006);
const fresh = initialContext(inputOf());

/** What an action makes of the context, and what there is to do then, in a connection with every actor it can speak to. */
function done(
  actions: Name,
  event: ConnectionEvent,
  known: Known = {},
): { context: ConnectionContext; todo: string[] } {
  const machine = connectionSetup.createMachine({
    context: { ...fresh, ...known },
    invoke: [
      { id: 'outbox', src: 'outbox', input: itself },
      { id: 'socket', src: 'socket', input: itself },
      { id: 'negotiator', src: 'negotiator', input: itself },
      { id: 'health', src: 'health', input: { ...itself, policy: null, isGraded: true } },
    ],
    on: { '*': { actions: actions as never } },
  });
  const [start] = initialTransition(machine, inputOf());
  const { snapshot, effects } = stepThrough(machine, start, [event]);
  return { context: snapshot.context, todo: effects };
}

/** Whether a guard lets an event pass. */
function passes(guard: string, event: ConnectionEvent, known: Known = {}): boolean {
  const machine = connectionSetup.createMachine({
    context: { ...fresh, ...known },
    initial: 'no',
    states: { no: { on: { '*': { guard: guard as never, target: 'yes' } } }, yes: {} },
  });
  const [start] = initialTransition(machine, inputOf());
  return stepThrough(machine, start, [event]).snapshot.value === 'yes';
}

const policy = { ...DEFAULT_POLICY, maxRetries: 2, maxCredentialsRetries: 1 };
const preferring = { ...policy, wire: 'prefer' } as const;
const expired = closedWith(4401);
const weary: Known = { rejections: 2, tried: ['reauthenticate'], refused: ['made'] };

describe('an action', () => {
  test.each<[string, ConnectionEvent, Known, Known]>([
    [
      'begin',
      connect,
      { retries: 3, credentialsFailures: 2, tenure: 'stable', failure: lost, opens: 4, credentials: 'kept', ...weary },
      { ...fresh, retries: 0, failure: null },
    ],
    ['changePolicy', { type: 'policy.changed', policy }, {}, { policy }],
    ['noteSignal', { type: 'network.offline' }, {}, { network: 'offline' }],
    ['advanceGeneration', connect, { generation: 4 }, { generation: 5 }],
    ['noteLink', opened(1), { offer: 'withheld' }, { canPing: true, wire: 'plain', offer: 'made' }],
    ['turnOffer', closed(1), { policy: { ...policy, wire: 'prefer' } }, { offer: 'withheld' }],
    ['expectReplacement', away(), {}, { mayBeReplaced: true }],
    [
      'recordOpen',
      connect,
      { opens: 1, tenure: 'stable', credentials: 'kept', refused: ['made'] },
      { opens: 2, tenure: 'new', credentials: 'fresh', refused: [] },
    ],
    [
      'settle',
      connect,
      { retries: 5, ...weary },
      { retries: 0, rejections: 0, tried: [], refused: [], tenure: 'stable' },
    ],
    ['keepCredentials', connect, { credentialsFailures: 5 }, { credentialsFailures: 0, credentials: 'kept' }],
    ['weighFailure', connect, { failure: lost, credentials: 'kept' }, {}],
    [
      'weighFailure',
      connect,
      { failure: expired, credentials: 'kept', rejections: 1 },
      { credentials: 'fresh', rejections: 2 },
    ],
    ['weighFailure', connect, { failure: closedOnWire(4002) }, {}],
    ['weighFailure', connect, { failure: closedOnWire(4002), policy: preferring }, { offer: 'withheld' }],
    ['noteTrial', connect, { failure: expired }, { tried: ['reauthenticate'] }],
    ['countCredentialsFailure', connect, { credentialsFailures: 5 }, { credentialsFailures: 6 }],
    ['countRetry', connect, { retries: 5 }, { retries: 6 }],
    ['recordFailure', { type: 'credentials.failed', failure: refused }, {}, { failure: refused }],
    ['noteRefusal', closed(1, refusedWith(400), 'made'), {}, { refused: ['made'] }],
    ['noteRefusal', closed(1), {}, {}],
    ['recordCloseRequest', disconnect, {}, { closeRequest: { code: 1000, reason: 'bye' } }],
  ])('%s changes what is known, and nothing else', (name, event, known, changed) => {
    const { context, todo } = done(name, event, known);
    expect([context, todo]).toEqual([{ ...fresh, ...known, ...changed }, []]);
  });

  test.each(['changePolicy', 'noteSignal', 'noteLink', 'recordFailure', 'recordCloseRequest', 'drawDeparture'])(
    '%s makes nothing of an event that says nothing of it',
    (name) => {
      expect(done(name, connect).context).toEqual(fresh);
    },
  );

  test('records a deadline that passed by its code', () => {
    const { context } = done({ type: 'recordCode', params: { code: 'WELCOME_TIMEOUT' } }, connect);
    expect(context.failure).toEqual(failure('WELCOME_TIMEOUT'));
  });

  test('records it by the rules of the service, if one covers it (pain 26)', () => {
    const rules = [{ failure: 'LINK_DEAD', category: 'network_error', strategy: 'manual' }] as const;
    const { context } = done({ type: 'recordCode', params: { code: 'LINK_DEAD' } }, connect, {
      policy: { ...policy, rules },
    });
    expect(context.failure).toMatchObject({ code: 'LINK_DEAD', category: 'network_error', strategy: 'manual' });
  });

  test('records a close of its own as the application asked for it', () => {
    const { context } = done('recordOwnClose', connect, { closeRequest: { code: 4000, reason: 'bye' } });
    expect(context.failure).toMatchObject({ code: 'CLOSED_LOCALLY', closure: { code: 4000, initiator: 'local' } });
  });

  test.each<[string, ConnectionEvent, 'retryDelayMs' | 'departureMs']>([
    ['drawBackoff', connect, 'retryDelayMs'],
    ['drawPrompt', connect, 'retryDelayMs'],
    ['drawOffline', connect, 'retryDelayMs'],
    ['drawHidden', connect, 'retryDelayMs'],
    ['drawDeparture', away(), 'departureMs'],
  ])('%s takes one draw', (name, event, wait) => {
    const { context, todo } = done(name, event, { retries: 1 });
    expect(context[wait]).toBeGreaterThan(0);
    expect(context.seed).not.toBe(fresh.seed);
    expect([{ ...context, seed: 1, [wait]: 0 }, todo]).toEqual([{ ...fresh, retries: 1 }, []]);
  });

  test.each<[Name, ConnectionEvent, string]>([
    ['dialSocket', connect, 'tell socket dial'],
    ['closeSocket', disconnect, 'tell socket close'],
    ['stopWaiting', connect, 'tell negotiator yield'],
    ['probeLink', { type: 'system.woke' }, 'tell health probe'],
    ['rewatchLink', succeeded(2), 'tell health watch'],
    ['freeOutbox', connect, 'tell outbox resume'],
    [{ type: 'tellOutbox', params: { type: 'drain' } }, disconnect, 'tell outbox drain'],
    [{ type: 'report', params: { type: 'connection.rested' } }, connect, 'tell parent connection.rested'],
    ['announceLoss', welcomed(loss), 'emit discontinuity'],
    ['announceOpened', connect, 'emit opened'],
    ['announceClosed', connect, 'emit closed'],
    ['announceFailure', connect, 'emit failed'],
    [{ type: 'announceRetry', params: { hold: 'delay' } }, connect, 'emit retrying'],
    [{ type: 'announceGiveUp', params: { because: 'exhausted' } }, connect, 'emit gave.up'],
    [{ type: 'announceFlow', params: { edge: 'congested' } }, connect, 'emit congested'],
  ])('%o changes nothing that is known, and does one thing', (name, event, effect) => {
    expect(done(name, event)).toEqual({ context: fresh, todo: [effect] });
  });
});

describe('a guard', () => {
  const spent = { policy, retries: 2 };
  const stopped = closedWith(1008);
  const required = { policy: { ...policy, wire: 'required' as const } };

  test.each<[string, ConnectionEvent, Known, boolean]>([
    ['isCurrent', closed(3), { generation: 3 }, true],
    ['isCurrent', closed(2), { generation: 3 }, false],
    ['isCurrent', connect, { generation: 3 }, false],
    ['isOffered', offered(3), { generation: 3 }, true],
    ['isOffered', offered(2), { generation: 3 }, false],
    ['isOffered', opened(3), { generation: 3 }, false],
    ['isOffered', shared(3), { generation: 3 }, false],
    ['isWireRequired', plain(), required, true],
    ['isWireRequired', plain(), {}, false],
    ['isFresh', succeeded(2, loss), {}, true],
    ['isFresh', succeeded(2), {}, false],
    ['isFresh', welcomed(loss), {}, false],
    ['hasLostCurrent', shared(3, loss), { generation: 3 }, true],
    ['hasLostCurrent', shared(3), { generation: 3 }, false],
    ['hasLostCurrent', shared(2, loss), { generation: 3 }, false],
    ['hasLostCurrent', opened(3), { generation: 3 }, false],
    ['hasLostSession', welcomed(loss), {}, true],
    ['hasLostSession', plain(loss), {}, true],
    ['hasLostSession', welcomed(), {}, false],
    ['hasLostSession', connect, {}, false],
    ['isTerminal', connect, { failure: stopped }, true],
    ['isTerminal', connect, { failure: lost }, false],
    ['isTerminal', connect, {}, false],
    ['isTerminal', connect, { failure: expired }, true],
    ['isTerminal', connect, { failure: expired, policy: { ...policy, maxRejections: 0 } }, false],
    ['isTerminal', connect, { failure: closedOnWire(4002) }, true],
    ['isTerminal', connect, { failure: closedOnWire(4002), policy: { ...policy, wire: 'prefer' } }, false],
    ['mayReauthenticate', connect, { failure: expired }, true],
    ['mayReauthenticate', connect, { failure: expired, tried: ['reauthenticate'] }, false],
    ['mayReauthenticate', connect, { failure: lost }, false],
    ['mayRenegotiate', connect, { failure: closedOnWire(4002) }, true],
    ['mayRenegotiate', connect, { failure: closedOnWire(4002), tried: ['renegotiate'] }, false],
    ['mayBeginAnew', connect, { failure: closedOnWire(4301), tried: ['renegotiate'] }, true],
    ['mayBeginAnew', connect, { failure: closedOnWire(4301), tried: ['new_session'] }, false],
    ['isToldToWait', connect, { failure: closedWith(1013), floorMs: 5_000 }, true],
    ['isToldToWait', connect, { failure: closedWith(1013), floorMs: 0 }, false],
    ['isExhausted', connect, spent, true],
    ['isExhausted', connect, { ...spent, retries: 1 }, false],
    ['isExhausted', connect, { retries: 1_000 }, false],
    ['areCredentialsExhausted', connect, { policy, credentialsFailures: 2 }, true],
    ['areCredentialsExhausted', connect, { policy, credentialsFailures: 1 }, false],
    ['areCredentialsExhausted', connect, { credentialsFailures: 1_000 }, false],
    ['areCredentialsExhausted', connect, { policy: { ...policy, maxRejections: 1 }, rejections: 2 }, true],
    ['areCredentialsExhausted', connect, { policy: { ...policy, maxRejections: 1 }, rejections: 1 }, false],
    ['areCredentialsExhausted', connect, { rejections: 1_000 }, false],
    ['isOffline', connect, { network: 'offline' }, true],
    ['isOffline', connect, {}, false],
    ['isHidden', connect, { page: 'hidden' }, true],
    ['isHidden', connect, {}, false],
    ['isFrozen', connect, { page: 'frozen' }, true],
    ['isFrozen', connect, { page: 'hidden' }, false],
    ['isSuspended', connect, { failure: failure('PAGE_FROZEN') }, true],
    ['isSuspended', connect, { page: 'frozen', failure: lost }, false],
    ['isSuspended', connect, {}, false],
  ])('%s says of %o, knowing %o: %s', (name, event, known, answer) => {
    expect(passes(name, event, known)).toBe(answer);
  });
});

describe('a delay', () => {
  test.each(Object.entries(DELAYS))('%s is armed for as long as the policy and the draws say', (name, delay) => {
    const machine = connectionSetup.createMachine({
      context: { ...fresh, retryDelayMs: 512, departureMs: 1_024 },
      after: { [name]: { actions: 'settle' } },
    });
    const [{ context }, actions] = initialTransition(machine, inputOf());
    expect(actions.map(({ params }) => (params as { delay: number }).delay)).toEqual([delay({ context })]);
  });
});
