import { describe, expect, test, vi } from 'vitest';

import { ProtocolViolation } from '../../src/protocol/violation.ts';
import { readFrame } from '../../src/protocol/wire.ts';
import { Link, type LinkReader } from '../../src/server/link.ts';
import { settingsOf } from '../../src/server/options.ts';
import type { ServerSocket } from '../../src/server/socket.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { CLIENT_LIMITS } from '../support/wire-client.ts';
import { makeCompression } from '../support/compression.ts';

function start(reader: Partial<LinkReader> = {}, limits: object = {}) {
  const clock = new SimulatedClock();
  const did: unknown[] = [];
  const socket: ServerSocket & { bufferedBytes: number } = {
    bufferedBytes: 0,
    send: (data) => did.push(data),
    batch: (write) => {
      did.push('batch');
      write();
    },
    close: (code, reason) => did.push([code, reason]),
    terminate: () => did.push('terminated'),
  };
  const faults: unknown[] = [];
  const gone: number[] = [];
  const link = new Link({
    socket,
    request: { headers: {} },
    settings: settingsOf({ authenticate: () => null, clock, limits }),
    fault: (cause) => faults.push(cause),
    gone: (_link, code) => gone.push(code),
  });
  const heard: unknown[] = [];
  link.readBy({
    received: (frame) => heard.push(frame),
    lost: () => heard.push('lost'),
    ...reader,
  });
  return { link, socket, clock, did, faults, gone, heard };
}

describe('a link', () => {
  test('reads frames for its reader, and tells it once that it is lost', () => {
    const { link, heard, gone } = start();
    link.received('{"t":"ack","a":1}');
    link.closed(1006);
    link.closed(1006);
    link.received('{"t":"ack","a":2}');
    expect([heard, gone]).toEqual([[{ t: 'ack', a: 1 }, 'lost'], [1006]]);
  });

  test('closes what breaks the protocol with its code, and then hears and says nothing', () => {
    const { link, heard, did, gone } = start();
    link.received('nonsense');
    link.received('{"t":"ack","a":1}');
    link.send({ t: 'ack', a: 1 });
    link.close(4000, 'again');
    expect([heard, did]).toEqual([['lost'], [[4001, 'a frame is no JSON']]]);
    link.closed(1005);
    expect(gone).toEqual([4001]);
  });

  test('closes for what its reader calls a violation, and answers a fault of ours with 4103', () => {
    const violated = start({
      received: () => {
        throw new ProtocolViolation('no', 4201);
      },
    });
    violated.link.received('{"t":"ack","a":1}');
    expect([violated.did, violated.faults]).toEqual([[[4201, 'no']], []]);
    const broken = start({
      received: () => {
        throw new Error('bug');
      },
    });
    broken.link.received('{"t":"ack","a":1}');
    expect(broken.did.at(-1)).toEqual([4103, 'a fault of the server']);
    expect(broken.faults).toHaveLength(1);
  });

  test('ends what was agreed on once it is closed, or at once if it is closed by then', () => {
    const end = vi.fn();
    const agreement = { caps: [], compression: makeCompression({ hasWindow: true }), end };
    const [open, closed] = [start().link, start().link];
    open.agree(agreement);
    expect(end).toHaveBeenCalledTimes(0);
    open.close(4000, 'over');
    expect(end).toHaveBeenCalledTimes(1);
    closed.close(4000, 'over');
    closed.agree(agreement);
    expect(end).toHaveBeenCalledTimes(2);
  });

  test('is ended by a socket that does not take a frame, for what follows would be missing it', () => {
    const { link, did, socket, faults, heard } = start();
    socket.send = () => {
      throw new Error('not now');
    };
    link.sendBatch('1[1]');
    link.sendBatch('2[1]');
    expect([did, faults, heard, link.isOpen]).toEqual([['terminated'], [new Error('not now')], ['lost'], false]);
  });

  test('compresses batches once that was agreed on, when it makes them smaller', () => {
    const { link, did } = start();
    const batch = `1["${'x'.repeat(5_000)}"]`;
    link.limits = CLIENT_LIMITS;
    link.sendBatch(batch);
    link.agree({ caps: [], compression: makeCompression({ hasWindow: false }), end: () => undefined });
    link.sendBatch(batch);
    link.sendBatch('1[1]');
    link.sendBatch(`1["${'ü'.repeat(600)}"]`);
    const limits = { frame: 100_000, inflated: 100_000 };
    expect(did[0]).toBe(batch);
    for (const index of [1, 3]) {
      const frame = did[index] as Uint8Array<ArrayBuffer>;
      expect(frame.length).toBeLessThan(200);
      expect(
        readFrame(frame.slice().buffer, { from: 'server', limits, compression: makeCompression({ hasWindow: false }) })
          .t,
      ).toBe('batch');
    }
    expect(did[2]).toBe('1[1]');
    link.limits = { ...CLIENT_LIMITS, inflated: 100 };
    link.sendBatch(batch);
    expect(did[4]).toBe(batch);
  });

  test('closes a client that reads too slowly', () => {
    const { link, socket, did } = start({}, { bufferedBytes: 100 });
    link.send({ t: 'ack', a: 1 });
    socket.bufferedBytes = 101;
    link.send({ t: 'ack', a: 2 });
    link.send({ t: 'ack', a: 3 });
    expect(did).toEqual(['{"t":"ack","a":1}', '{"t":"ack","a":2}', [4102, 'too slow a reader']]);
  });

  test('counts the messages of a frame for the rate', () => {
    const { link, did } = start({}, { messagesPerSecond: 2 });
    link.received('1[1,2,3,4]');
    expect(did).toEqual([]);
    link.received('5[5]');
    expect(did.at(-1)).toEqual([4101, 'too many messages in a second']);
  });

  test('is given up when nothing was heard in time; any sign of life counts', () => {
    const { link, clock, did } = start();
    clock.advance(34_000);
    link.heard();
    clock.advance(34_000);
    link.look(clock.now(), 35_000);
    expect(did).toEqual([]);
    clock.advance(1_000);
    link.look(clock.now(), 35_000);
    expect(did).toEqual([[4202, 'nothing was heard in time']]);
  });

  test('is cut when the client does not answer its close', () => {
    const { link, clock, did } = start();
    link.close(4000, 'bye');
    clock.advance(4_999);
    link.look(clock.now(), 35_000);
    expect(did).toEqual([[4000, 'bye']]);
    clock.advance(1);
    link.look(clock.now(), 35_000);
    expect(did).toEqual([[4000, 'bye'], 'terminated']);
  });

  test('can be cut at once, and hands pieces on as one', () => {
    const { link, did, heard } = start();
    link.batch(() => {
      link.send({ t: 'ack', a: 1 });
    });
    link.terminate();
    expect([did, heard, link.isOpen, link.bufferedBytes]).toEqual([
      ['batch', '{"t":"ack","a":1}', 'terminated'],
      ['lost'],
      false,
      0,
    ]);
  });

  test('never says a reason that a close frame cannot carry', () => {
    const { link, did } = start();
    link.close(4000, 'ü'.repeat(100));
    expect(did).toEqual([[4000, 'ü'.repeat(61)]]);
  });
});
