import { createInspector } from '@statelyai/inspect';
import { describe, expect, test } from 'vitest';

import { startClient } from '../support/client.ts';
import { until } from '../support/deadline.ts';
import { runProgram, usePrograms } from '../support/program.ts';
import { echo, startServer } from '../support/server.ts';

usePrograms();

type Inspector = ReturnType<typeof createInspector>;
type Inspected = Parameters<Inspector['adapter']['send']>[0];

/** An inspector of Stately's that keeps what it is told. */
function recordingInspector(): { inspector: Inspector; told: Inspected[] } {
  const told: Inspected[] = [];
  return { told, inspector: createInspector({ send: (event) => told.push(event) }) };
}

/** Each actor by the id of its definition: that of its machine, or its own where it is none. */
function actorsOf(told: readonly Inspected[]): { name: string; parentId: string | undefined; sessionId: string }[] {
  return told.flatMap((event) => {
    if (event.type !== '@xstate.actor') return [];
    const { definition = '{}', parentId, sessionId } = event;
    return [{ name: (JSON.parse(definition) as { id: string }).id, parentId, sessionId }];
  });
}

describe('an inspector handed in as `inspect`', () => {
  test('sees supervisor, group, connection, health and socket, one under the other, and what they are told', async () => {
    const server = await startServer({ onSocket: echo });
    const { inspector, told } = recordingInspector();
    const client = startClient({ url: server.url }, { inspect: inspector.inspect });
    await client.connect();
    await client.service.sendMessage('main', 'a payload');
    await client.nth('message', 1);
    server.terminate();
    await client.nth('opened', 2);
    await client.service.disconnect('main');
    await client.service.destroy();
    await until('the end is told', () => told.some((event) => 'event' in event && event.event.type === 'drain'));

    const actors = actorsOf(told);
    const named = (name: string): typeof actors => actors.filter((actor) => actor.name === name);
    const [supervisor] = named('supervisor');
    const [group] = named('group');
    const [connection] = named('connection');
    expect(supervisor).toMatchObject({ parentId: undefined });
    expect(group).toMatchObject({ parentId: supervisor?.sessionId });
    expect(connection).toMatchObject({ parentId: group?.sessionId });
    // one for each of the two sockets
    expect(named('socket').map(({ parentId }) => parentId)).toEqual(Array(2).fill(connection?.sessionId));
    expect(named('health').map(({ parentId }) => parentId)).toEqual(Array(2).fill(connection?.sessionId));

    const events = told.flatMap((event) =>
      event.type === '@xstate.event' && event.sessionId === connection?.sessionId ? [event.event.type] : [],
    );
    for (const type of ['connect', 'socket.opened', 'socket.closed', 'disconnect']) expect(events).toContain(type);
    // payloads never pass through an actor
    expect(JSON.stringify(told.map((event) => ('event' in event ? event.event : null)))).not.toContain('a payload');
  });

  test('can be attached to a running service as well', async () => {
    const server = await startServer();
    const { inspector, told } = recordingInspector();
    const client = startClient({ url: server.url });
    await client.connect();
    const attached = client.service.system.inspect(inspector.inspect);
    server.terminate();
    await client.nth('opened', 2);
    await until('the reconnection is told', () => actorsOf(told).some(({ name }) => name === 'socket'));
    attached.unsubscribe();
  });

  test('breaks nothing when its adapter throws', async () => {
    const server = await startServer({ onSocket: echo });
    const end = await runProgram('throwingInspector', { args: [server.url] });
    expect(end).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(end.result).toEqual({ state: 'open', end: 'closed', escaped: ['the adapter is broken'] });
  });

  test('breaks nothing when it throws itself, and that is told', async () => {
    const server = await startServer({ onSocket: echo });
    const faults: unknown[] = [];
    const client = startClient(
      { url: server.url },
      {
        inspect: {
          next: () => {
            throw new Error('no inspection here');
          },
        },
        onError: ({ code, cause }) => faults.push([code, (cause as Error).message]),
      },
    );
    await client.connect();
    server.terminate();
    await client.nth('opened', 2);
    await client.service.sendMessage('main', 'hello');
    await client.nth('message', 1);
    await client.service.disconnect('main');
    expect(client.states).toEqual(['connecting', 'open', 'backoff', 'connecting', 'open', 'closing', 'closed']);
    expect(faults.length).toBeGreaterThan(0);
    expect(faults).toEqual(Array(faults.length).fill(['LISTENER_THREW', 'no inspection here']));
  });
});
