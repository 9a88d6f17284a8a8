import { expect, test } from 'vitest';

import type { ServerSocket } from '../../src/server/index.ts';
import { PlainServer } from '../../src/testing/plain-server.ts';
import { NetworkRig } from '../support/simulated.ts';

/** A plain server that answers in capitals, and what it hears. */
class PlainRig extends NetworkRig {
  readonly got: string[] = [];
  readonly server = new PlainServer('plain', (socket) => this.#opened(socket));

  constructor() {
    super({ host: () => this.server });
  }

  /** Opens a socket. */
  open() {
    const socket = this.dial(['offered']);
    this.clock.advance(10);
    return socket;
  }

  #opened(socket: ServerSocket) {
    this.got.push('opened');
    return {
      received: (data: string | ArrayBuffer) => {
        const text = typeof data === 'string' ? data : 'bytes';
        this.got.push(text);
        socket.send(text.toUpperCase());
      },
      closed: (code: number) => this.got.push(`closed ${code}`),
    };
  }
}

test('a plain server is up, speaks no protocol, and leaves every word to its application', () => {
  const rig = new PlainRig();
  const socket = rig.open();
  expect([rig.server.name, rig.server.isUp, socket.protocol]).toEqual(['plain', true, '']);
  socket.send('hello');
  rig.clock.advance(10);
  expect([rig.got, rig.heard]).toEqual([
    ['opened', 'hello'],
    ['open', 'HELLO'],
  ]);
});

test('a plain server knows its sockets until they are closed', () => {
  const rig = new PlainRig();
  const socket = rig.open();
  rig.open();
  expect(rig.server.sockets.size).toBe(2);
  socket.close(4_000);
  rig.clock.advance(10);
  expect([rig.server.sockets.size, rig.got.at(-1)]).toEqual([1, 'closed 4000']);
  for (const left of rig.server.sockets) left.send('left');
  rig.clock.advance(10);
  expect(rig.heard.at(-1)).toBe('2: left');
});

test('a plain server takes nobody while it is down, and has no socket of before when it starts again', () => {
  const rig = new PlainRig();
  rig.open();
  rig.server.crash();
  rig.network.abandon(rig.server, () => 5);
  expect([rig.server.isUp, rig.server.sockets.size]).toEqual([false, 0]);
  rig.open();
  expect(rig.heard).toEqual(['open', 'error', 'close 1006', '2: error', '2: close 1006']);
  expect(rig.got).toEqual(['opened']);
  rig.server.start();
  rig.server.start();
  rig.open();
  expect([rig.server.isUp, rig.server.sockets.size, rig.heard.at(-1)]).toEqual([true, 1, '3: open']);
});

test('a plain server does with an application that does not care for closes', () => {
  const rig = new NetworkRig({ host: () => server });
  const server = new PlainServer('plain', () => ({ received: () => undefined }));
  const socket = rig.dial();
  rig.clock.advance(10);
  socket.close();
  rig.clock.advance(10);
  expect([server.sockets.size, rig.heard]).toEqual([0, ['open', 'close 1000']]);
});
