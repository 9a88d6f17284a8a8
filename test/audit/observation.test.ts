import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { assign, createActor, createMachine, fromCallback, type AnyActorRef } from 'xstate';

import { Observation, type Turn } from '../../src/audit/observation.ts';
import { replay } from '../../src/audit/replay.ts';
import { logged } from '../support/audit-log.ts';
import { mortal } from '../support/mortal.ts';
import { rig } from '../support/service.ts';

const grandchild = createMachine({
  id: 'grandchild',
  initial: 'a',
  states: { a: { on: { go: 'b' } }, b: { type: 'final' } },
});
const child = createMachine({
  id: 'child',
  initial: 'a',
  context: { n: 0 },
  states: {
    a: {
      on: {
        more: { actions: assign({ n: ({ context }) => context.n + 1 }) },
        fail: {
          actions: assign(() => {
            throw new Error('broken');
          }),
        },
      },
    },
  },
});
const parent = createMachine({
  id: 'parent',
  initial: 'a',
  invoke: [
    { id: 'x/y%z', src: child, onError: { actions: () => undefined } },
    { id: 'callback', src: fromCallback(({ sendBack }) => sendBack({ type: 'called' })) },
  ],
  states: { a: { on: { called: {}, go: 'b' } }, b: { invoke: { id: 'grand', src: grandchild, onDone: 'c' } }, c: {} },
});

function observed(start = true) {
  const actor = createActor(parent);
  // a root that dies tells whoever listens
  actor.subscribe({ error: () => undefined });
  if (start) actor.start();
  const turns: Turn[] = [];
  const system = {
    root: actor,
    inspect: (observer: (event: never) => void) => actor.system.inspect(observer as never),
  };
  const observation = new Observation(system, { name: 'a/b' }, (turn) => turns.push(turn));
  const told = () => turns.map(({ kind, actor: { path }, event }) => `${kind} ${path} ${event.type}`);
  return { actor, observation, turns, told, childOf: (id: string) => actor.getSnapshot().children[id] as AnyActorRef };
}

describe('actors that are observed', () => {
  test('are told of from where they are on, with ids in which no separator hides', () => {
    const { actor, childOf, told, turns } = observed();
    childOf('x/y%z').send({ type: 'more' });
    actor.send({ type: 'go' });
    childOf('grand').send({ type: 'go' });
    expect(told()).toEqual([
      'step a%2Fb/x%2Fy%25z more',
      'started a%2Fb/grand xstate.init',
      'step a%2Fb go',
      'step a%2Fb xstate.done.actor.grand',
      'step a%2Fb/grand go',
      'stopped a%2Fb/grand go',
    ]);
    expect(turns.find(({ event }) => event.type.startsWith('xstate.done'))?.source).toBe('a%2Fb/grand');
    expect(turns[0]).toMatchObject({ source: undefined, actor: { quoted: '"a%2Fb/x%2Fy%25z"', machine: 'child' } });
    expect([turns[0]?.before?.context, turns[0]?.after.context]).toEqual([{ n: 0 }, { n: 1 }]);
  });

  test('are told of from their first turn on where only the end of their beginning was seen', () => {
    const { actor, told } = observed(false);
    actor.start();
    expect(told().toSorted()).toEqual(['step a%2Fb called']);
  });

  test('are told of no more once that was ended', () => {
    const { actor, observation, told } = observed();
    observation.end();
    actor.send({ type: 'go' });
    actor.stop();
    expect(told()).toEqual([]);
  });

  test('are told of when they are stopped, each once', () => {
    const { actor, told } = observed();
    actor.stop();
    actor.stop();
    expect(told().toSorted()).toEqual(['stopped a%2Fb xstate.stop', 'stopped a%2Fb/x%2Fy%25z xstate.stop']);
  });

  test('are told of when they die, with what of', () => {
    const { childOf, turns } = observed();
    childOf('x/y%z').send({ type: 'fail' });
    const died = turns.find(({ kind }) => kind === 'died');
    expect(died).toMatchObject({ actor: { machine: 'child' }, event: { error: expect.any(Error) as Error } });
  });

  test('are told of when the root dies, of which nobody else is told', () => {
    const machine = createMachine({
      id: 'root',
      on: {
        fail: {
          actions: assign(() => {
            throw new Error('broken');
          }),
        },
      },
    });
    const actor = createActor(machine).start();
    const kinds: string[] = [];
    const system = {
      root: actor,
      inspect: (observer: (event: never) => void) => actor.system.inspect(observer as never),
    };
    new Observation(system, { name: 'root' }, ({ kind }) => kinds.push(kind));
    actor.send({ type: 'fail' });
    expect(kinds).toEqual(['died']);
  });

  test('are not held once they have ended', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const { r, die, redial } = mortal();
    let kept = 0;
    const refs: WeakRef<object>[] = [];
    new Observation(r.service.system, { name: 'service' }, (turn) => {
      kept += 1;
      if (turn.kind === 'stopped' || turn.kind === 'died') refs.push(new WeakRef(turn.actor));
    });
    await r.open();
    await die();
    await redial();
    await r.destroy();
    expect([kept > 10, refs.length > 2]).toEqual([true, true]);
    // WeakRefs hold until the task is over
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    expect(refs.filter((ref) => ref.deref()).length).toBe(0);
  });
});

describe('a service that runs already', () => {
  test('can be replayed from the states in which its actors are', async () => {
    const one = logged({ isLate: true });
    const { id } = await one.r.open();
    one.log.attach(one.r.service);
    one.r.service.sendMessage(id, 'x').catch(() => undefined);
    one.r.sockets.last.ends(1006);
    await one.r.reopen();
    await one.end();
    expect(one.of('state').length).toBeGreaterThan(2);
    expect(await replay(one.lines)).toMatchObject({ verdict: 'equal', skipped: 0 });
  });

  test.each(['opened', 'closed', 'retrying', 'status', 'message'] as const)(
    'can be attached to in the middle of a turn, in a listener of %s',
    async (type) => {
      const one = logged({ isLate: true });
      const end = one.r.service.on(type, () => {
        end();
        one.log.attach(one.r.service);
      });
      await one.r.open();
      one.r.sockets.last.says('hello');
      await one.pass();
      one.r.sockets.last.ends(1006);
      await one.r.reopen();
      await one.end();
      const { verdict, skipped, divergences } = await replay(one.lines);
      expect({ verdict, skipped, divergences }).toEqual({ verdict: 'equal', skipped: 0, divergences: [] });
    },
  );

  test('is not reached by an observer that throws', async () => {
    const r = rig();
    new Observation(r.service.system, { name: 'service' }, () => {
      throw new Error('no');
    });
    await r.open();
    r.sockets.last.ends(1006);
    await r.reopen();
    expect(r.state()).toBe('open');
    await r.destroy();
  });
});
