import { describe, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import * as exported from '../../machines/index.ts';
import { CONNECTION_STATES, connectionMachine } from '../../machines/index.ts';
import { machinesOf } from '../../visualizations/drawings.ts';

const machines = machinesOf(exported);

describe.each(machines.map((machine) => [machine.id, machine] as const))('the %s machine', (_id, machine) => {
  test('is plain data but for its context and the input of its actors', () => {
    expect(functionsIn(machine.config)).toEqual([]);
  });

  test('keeps every edge on a round trip through JSON', () => {
    const edges = edgesOf(machine);
    expect(edges.length).toBeGreaterThan(0);
    expect(edgesOf(roundTrip(machine))).toEqual(edges);
  });

  test('names nothing that is not implemented', () => {
    expect(unimplementedIn(machine)).toEqual([]);
  });

  test('describes each of its states', () => {
    expect(undescribedIn(machine)).toEqual([]);
  });
});

test('the connection machine shows the world exactly one state wherever it rests', () => {
  expect(mistaggedIn(connectionMachine, CONNECTION_STATES)).toEqual([]);
});

test('the connection machine shows the world every state that it promises', () => {
  const shown = nodesOf(connectionMachine).flatMap(({ tags }) => tags);
  expect(new Set(shown)).toEqual(new Set(CONNECTION_STATES));
});

describe('the checker', () => {
  const implementations: object = {
    actions: { known: () => undefined },
    guards: { known: () => true },
    delays: { known: 1 },
    actors: { known: createMachine({}) },
  };
  const careless = createMachine(
    {
      id: 'careless',
      context: () => ({ tries: 0 }),
      initial: 'idle',
      entry: [() => undefined, 'known'],
      states: {
        idle: {
          description: 'Waits.',
          tags: ['idle', 'open'],
          invoke: [{ src: 'known', input: () => ({}) }, { src: 'unheardOf' }],
          on: {
            go: [
              { guard: () => true, target: 'busy' },
              { guard: 'unknown', target: 'lost' },
            ],
          },
        },
        busy: {
          tags: 'open',
          always: { guard: 'known', target: 'idle', actions: 'missing' },
          after: { 100: 'lost', known: 'lost', never: 'lost' },
        },
        lost: { description: 'No way on.', tags: 'gone' },
      },
    },
    implementations,
  );

  test('finds every function that is out of place', () => {
    expect(functionsIn(careless.config)).toEqual(['.entry.0', '.states.idle.on.go.0.guard']);
  });

  test('sees that a function does not survive a round trip', () => {
    expect(edgesOf(roundTrip(careless))).not.toEqual(edgesOf(careless));
  });

  test('finds every name without an implementation, and every delay without a name', () => {
    expect(unimplementedIn(careless)).toEqual([
      'actor unheardOf of careless.idle',
      'guard unknown of careless.idle',
      'delay 100 of careless.busy',
      'delay never of careless.busy',
      'action missing of careless.busy',
    ]);
  });

  test('finds every state without a description', () => {
    expect(undescribedIn(careless)).toEqual(['careless', 'careless.busy']);
  });

  test('finds every state that shows several states, an unknown one, or one in passing', () => {
    expect(mistaggedIn(careless, ['idle', 'open'])).toEqual([
      'careless.idle shows idle, open',
      'careless.busy shows open',
      'careless.lost shows gone',
    ]);
  });
});

/** Where a config has functions that the tools cannot read. The context and the input of actors are not read by them. */
function functionsIn(config: unknown, path = ''): string[] {
  if (typeof config === 'function') return isOpaque(path) ? [] : [path];
  if (typeof config !== 'object' || config === null) return [];
  return Object.entries(config).flatMap(([key, value]) => functionsIn(value, `${path}.${key}`));
}

function isOpaque(path: string): boolean {
  return path === '.context' || /\.invoke(\.\d+)?\.input$/.test(path);
}

function roundTrip(machine: AnyStateMachine): AnyStateMachine {
  return createMachine(JSON.parse(JSON.stringify(machine.config)) as object, machine.implementations as object);
}

/** Every transition definition as text. */
function edgesOf(machine: AnyStateMachine): string[] {
  return nodesOf(machine).flatMap((node) =>
    definitionsOf(node).map(({ source, eventType, guard, target = [], reenter, actions }) =>
      [
        source.id,
        eventType,
        nameOf(guard),
        target.map(({ id }) => id).join(),
        actions.map(nameOf).join(),
        reenter,
      ].join(' | '),
    ),
  );
}

function unimplementedIn(machine: AnyStateMachine): string[] {
  const known = machine.implementations as Record<'actions' | 'guards' | 'delays' | 'actors', object>;
  return nodesOf(machine).flatMap((node) => {
    const definitions = definitionsOf(node);
    const named = [
      ...node.invoke.map(({ src }) => ({ kind: 'actor', name: src, among: known.actors })),
      ...definitions.map(({ guard }) => ({ kind: 'guard', name: guard, among: known.guards })),
      ...node.after.map(({ delay }) => ({ kind: 'delay', name: String(delay), among: known.delays })),
      ...[...node.entry, ...node.exit, ...definitions.flatMap(({ actions }) => actions)].map((name) => ({
        kind: 'action',
        name,
        among: known.actions,
      })),
    ];
    return named
      .filter(
        ({ name, among }) => name !== undefined && typeof name !== 'function' && !Object.hasOwn(among, nameOf(name)),
      )
      .map(({ kind, name }) => `${kind} ${nameOf(name)} of ${node.id}`);
  });
}

function undescribedIn(machine: AnyStateMachine): string[] {
  return nodesOf(machine)
    .filter(({ description }) => !description)
    .map(({ id }) => id);
}

/** Leaves that show the world anything but one state of the list; or, where they are only passed through, anything. */
function mistaggedIn(machine: AnyStateMachine, states: readonly string[]): string[] {
  return nodesOf(machine)
    .filter(({ type }) => type !== 'compound' && type !== 'parallel')
    .map((node) => ({ node, tags: tagsAt(node) }))
    .filter(({ node, tags }) => {
      if (node.always) return tags.length > 0;
      return tags.length !== 1 || !tags.every((tag) => states.includes(tag));
    })
    .map(({ node, tags }) => `${node.id} shows ${tags.join(', ') || 'nothing'}`);
}

function tagsAt(node: AnyStateNode): string[] {
  return [...(node.parent ? tagsAt(node.parent) : []), ...node.tags];
}

function nodesOf({ root }: AnyStateMachine): AnyStateNode[] {
  const withDescendants = (node: AnyStateNode): AnyStateNode[] => [
    node,
    ...Object.values(node.states).flatMap(withDescendants),
  ];
  return withDescendants(root);
}

function definitionsOf(node: AnyStateNode) {
  return [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
}

/** What a guard, an action or an actor is called; empty for none. Those that are written in place have one name. */
function nameOf(reference: unknown): string {
  if (reference === undefined || typeof reference === 'string') return reference ?? '';
  return typeof reference === 'object' && reference !== null && 'type' in reference
    ? String(reference.type)
    : '(inline)';
}
