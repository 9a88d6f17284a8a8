import { EventEmitter } from 'node:events';
import type { WebSocket } from 'ws';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { ANSWER_MS, Visit } from '../../src/cli/visit.ts';

class FakeWebSocket extends EventEmitter {
  readonly CLOSED = 3;
  readyState = 1;
  readonly did: unknown[] = [];
  /** What it does when it is pinged or closed. */
  answers: (what: string) => void = () => undefined;

  ping(data: string): void {
    this.did.push(`ping ${data}`);
    this.answers(data);
  }

  close(code: number): void {
    this.did.push(`close ${code}`);
    this.answers('close');
  }

  terminate(): void {
    this.did.push('terminate');
    this.end(1006, '');
  }

  end(code: number, reason: string): void {
    this.readyState = this.CLOSED;
    this.emit('close', code, Buffer.from(reason));
  }
}

function start() {
  const socket = new FakeWebSocket();
  const visit = new Visit(socket as unknown as WebSocket, (text) => text.toUpperCase());
  socket.emit('open');
  const { signal } = new AbortController();
  const base = Object.fromEntries(socket.eventNames().map((name) => [name, socket.listenerCount(name)]));
  /** That nobody listens for longer than there is something to wait for. */
  const isQuiet = (): boolean =>
    vi.getTimerCount() === 0 &&
    socket.eventNames().every((name) => socket.listenerCount(name) === base[name as string]);
  return { socket, visit, signal, isQuiet };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('listening', () => {
  test('ends with the first message, of which kind and length are kept', async () => {
    const { socket, visit, signal, isQuiet } = start();
    const listening = visit.listen({ ms: 500, signal });
    await vi.advanceTimersByTimeAsync(20);
    socket.emit('message', Buffer.from('hello'), false);
    socket.emit('message', Buffer.from('more'), true);
    await expect(listening).resolves.toBe(20);
    expect(visit.first).toEqual({ isBinary: false, bytes: 5, afterMs: 20, greeting: null });
    expect(isQuiet()).toBe(true);
    await expect(visit.listen({ ms: 500, signal })).resolves.toBe(20);
  });

  test('knows a greeting, but reads none that is too long', () => {
    const greeting = '{"t":"srv","v":[1],"node":"n1"}';
    for (const [text, node] of [
      [greeting, 'N1'],
      [greeting + ' '.repeat(70_000), undefined],
    ] as const) {
      const { socket, visit } = start();
      socket.emit('message', Buffer.from(text), false);
      expect(visit.first?.greeting?.node).toBe(node);
    }
  });

  test('ends with the time, or with the connection', async () => {
    const { socket, visit, signal, isQuiet } = start();
    const silent = visit.listen({ ms: 500, signal });
    await vi.advanceTimersByTimeAsync(500);
    await expect(silent).resolves.toBe(500);
    const ended = visit.listen({ ms: 500, signal });
    socket.end(4401, 'no token');
    await ended;
    expect([visit.ending, isQuiet()]).toEqual([{ code: 4401, reason: 'NO TOKEN', problem: null }, true]);
  });
});

describe('pinging', () => {
  test('measures one pong after the other, and takes no other for it', async () => {
    const { socket, visit, signal, isQuiet } = start();
    socket.answers = (name) => {
      setTimeout(() => socket.emit('pong', Buffer.from('other')), 1);
      setTimeout(() => socket.emit('pong', Buffer.from(name)), 10 * Number(name));
    };
    const pinging = visit.ping(3, signal);
    await vi.advanceTimersByTimeAsync(1_000);
    await expect(pinging).resolves.toEqual({ sent: 3, samplesMs: [10, 20, 30] });
    expect([visit.isAnswering, isQuiet()]).toEqual([true, true]);
  });

  test('stops when one is not answered, when the connection ends, and when time is up', async () => {
    const { socket, visit, signal, isQuiet } = start();
    const unanswered = visit.ping(3, signal);
    await vi.advanceTimersByTimeAsync(ANSWER_MS);
    await expect(unanswered).resolves.toEqual({ sent: 1, samplesMs: [] });
    await expect(visit.ping(3, AbortSignal.abort())).resolves.toEqual({ sent: 0, samplesMs: [] });
    socket.answers = (name) => setTimeout(() => socket.emit('pong', Buffer.from(name)), 5);
    const cut = visit.ping(3, signal);
    await vi.advanceTimersByTimeAsync(10);
    socket.emit('error', new Error('Invalid frame'));
    await expect(cut).resolves.toEqual({ sent: 1, samplesMs: [5] });
    expect(visit.ending).toEqual({ code: 1006, reason: '', problem: 'INVALID FRAME' });
    expect(isQuiet()).toBe(true);
  });
});

describe('watching', () => {
  test('counts the pings of the server', async () => {
    const { socket, visit } = start();
    expect(visit.heartbeat()).toEqual({ pings: 0, watchedMs: 0, intervalMs: null });
    for (let count = 0; count < 3; count++) {
      await vi.advanceTimersByTimeAsync(100);
      socket.emit('ping', Buffer.alloc(0));
    }
    expect(visit.heartbeat()).toEqual({ pings: 3, watchedMs: 300, intervalMs: 100 });
  });

  test('waits in silence, but not after the end', async () => {
    const { socket, visit, signal } = start();
    const waiting = visit.wait(1_000, signal);
    await vi.advanceTimersByTimeAsync(300);
    socket.end(1001, '');
    await expect(waiting).resolves.toBe(300);
    await expect(visit.wait(1_000, signal)).resolves.toBe(0);
  });
});

describe('closing', () => {
  test('is answered', async () => {
    const { socket, visit, signal, isQuiet } = start();
    socket.answers = () => setTimeout(() => socket.end(1000, ''), 30);
    const closing = visit.close(signal);
    await vi.advanceTimersByTimeAsync(30);
    await expect(closing).resolves.toEqual({ code: 1000, durationMs: 30, isLeftOpen: false });
    expect([socket.did, isQuiet()]).toEqual([['close 1000'], true]);
  });

  test('that is not is an end by force', async () => {
    const { socket, visit, signal, isQuiet } = start();
    const closing = visit.close(signal);
    await vi.advanceTimersByTimeAsync(ANSWER_MS);
    await expect(closing).resolves.toEqual({ code: 1006, durationMs: ANSWER_MS, isLeftOpen: true });
    expect([socket.did, isQuiet()]).toEqual([['close 1000', 'terminate'], true]);
    await visit.leave();
    expect(socket.did).toHaveLength(2);
  });
});
