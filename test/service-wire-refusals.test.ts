import { describe, expect, test } from 'vitest';

import { nodeSockets, type FakeNodeSocket } from './support/fake-socket.ts';
import { ServerScript } from './support/server-script.ts';
import { Rig, TERMINAL } from './support/service.ts';

const NAME = 'holdfast.v1';
const OFFERED = 'offered';
const PLAIN = 'plain';
// how long a session is kept without a socket, and what its server may take to miss one
const KEPT = { ttl: 120_000, ping: { iv: 20_000, to: 30_000 } };

/** A service in Node, where the status of a refused handshake is seen. It has just been asked for a connection. */
async function asked(wire: 'prefer' | 'plain' | 'required' = 'prefer'): Promise<Rig<FakeNodeSocket>> {
  const r = new Rig(nodeSockets(), { terminal: { wire } });
  void r.service.connect(TERMINAL).catch(() => undefined);
  await r.settle();
  return r;
}

async function refused(r: Rig<FakeNodeSocket>, status: number, retryAfter?: string): Promise<void> {
  r.sockets.last.refuses(status, retryAfter);
  await r.settle();
}

/** What each handshake was for. */
function dials(r: Rig<FakeNodeSocket>): string[] {
  return r.sockets.all.map(({ protocols }) => (protocols?.includes(NAME) ? OFFERED : PLAIN));
}

/** The newest socket opens, and is welcomed to a session. */
async function welcomed(
  r: Rig<FakeNodeSocket>,
  welcome?: Parameters<ServerScript['welcome']>[0],
): Promise<ServerScript> {
  r.sockets.last.opens();
  const server = new ServerScript(r.sockets.last);
  server.srv();
  await r.settle();
  server.welcome(welcome);
  await r.settle();
  return server;
}

/** The newest socket breaks; what follows is dialled. */
async function loses(r: Rig<FakeNodeSocket>): Promise<void> {
  r.sockets.last.ends(1006);
  await r.settle();
  await r.passBackoff();
}

/** Plain is open, known to work, and was lost; what follows is dialled. */
async function wasPlain(): Promise<Rig<FakeNodeSocket>> {
  const r = await asked();
  r.sockets.last.opens();
  await r.clock.advanceAsync(3_000);
  expect(r.status().wire).toBe('plain');
  await loses(r);
  return r;
}

describe.each([400, 426])('a handshake that is refused with %s, where holdfast.v1 is preferred', (status) => {
  test('as plain, which worked there before, is followed by one with the name, at once', async () => {
    const r = await wasPlain();
    expect(dials(r)).toEqual([OFFERED, PLAIN]);
    await refused(r, status);
    expect(r.status()).toMatchObject({ state: 'backoff', lastError: { strategy: 'renegotiate', httpStatus: status } });
    await r.passBackoff();
    expect(dials(r)).toEqual([OFFERED, PLAIN, OFFERED]);
    await welcomed(r);
    expect([r.state(), r.status().wire]).toEqual(['open', NAME]);
  });

  test('as plain, which was only tried because the server was down, is followed by one with the name', async () => {
    const r = await asked();
    await refused(r, 503);
    await r.passBackoff();
    await refused(r, status);
    await r.passBackoff();
    expect([dials(r), r.state()]).toEqual([[OFFERED, PLAIN, OFFERED], 'connecting']);
  });

  test('on both wires ends the connection, whichever came first', async () => {
    const anew = await asked();
    const known = await wasPlain();
    const before = dials(known).length - 1;
    for (const r of [anew, known])
      for (let refusal = 1; refusal <= 10 && r.state() !== 'failed'; refusal++) {
        await refused(r, status);
        if (r.state() !== 'failed') await r.passBackoff();
      }
    expect([anew.state(), dials(anew)]).toEqual(['failed', [OFFERED, PLAIN]]);
    expect([known.state(), dials(known).slice(before)]).toEqual(['failed', [PLAIN, OFFERED]]);
    for (const r of [anew, known]) expect(r.status().lastError).toMatchObject({ httpStatus: status });
  });

  test('on both wires ends the connection, also when both are asked to wait', async () => {
    const r = await asked();
    await refused(r, status, '5');
    expect([r.state(), r.status().lastError?.retryAfterMs]).toEqual(['backoff', 5_000]);
    await r.passBackoff();
    await refused(r, status, '5');
    expect([r.state(), dials(r)]).toEqual(['failed', [OFFERED, PLAIN]]);
  });

  test('as plain is not the end, as long as the other wire only found nobody there', async () => {
    const r = await wasPlain();
    await refused(r, status);
    await r.passBackoff();
    await refused(r, 503);
    await r.passBackoff();
    await refused(r, status);
    await r.passBackoff();
    expect([r.state(), dials(r).slice(1)]).toEqual(['connecting', [PLAIN, OFFERED, PLAIN, OFFERED]]);
  });

  test('with the name, which worked there before, is followed by plain, for every connection', async () => {
    const r = await asked();
    await welcomed(r);
    void r.service.connect({ serviceType: 'terminal', terminalId: 'two' });
    await r.settle();
    await refused(r, status);
    await r.clock.advanceAsync(1_000);
    expect(dials(r)).toEqual([OFFERED, OFFERED, PLAIN]);
  });
});

/** A session was open for so long, whose server keeps it for 2 minutes, and lost its socket; what follows is dialled. */
async function hadSession(openMs = 0): Promise<Rig<FakeNodeSocket>> {
  const r = await asked();
  const server = await welcomed(r, KEPT);
  for (let at = 0; at < openMs; at += 1_000) {
    server.says({ t: 'ping', i: 1, ts: 1 });
    await r.clock.advanceAsync(1_000);
  }
  await loses(r);
  return r;
}

/** Every attempt ends like this, for so long, or until plain is tried. @returns How long that took, in ms. */
async function endure(r: Rig<FakeNodeSocket>, forMs: number, ends: () => unknown): Promise<number> {
  const from = r.clock.now();
  while (dials(r).at(-1) === OFFERED && r.clock.now() - from < forMs) {
    ends();
    await r.settle();
    await r.passBackoff();
  }
  return r.clock.now() - from;
}

describe('a session that may be resumed', () => {
  test('is asked for at a server that refuses its wire from now on as long as it may be there, and then is lost to plain', async () => {
    const r = await hadSession();
    const losses: unknown[] = [];
    r.service.on('discontinuity', (loss) => losses.push(loss));
    const tookMs = await endure(r, 600_000, () => {
      r.sockets.last.refuses(400);
    });
    // with what the server may take to miss this side
    expect([tookMs > 169_000, tookMs < 230_000]).toEqual([true, true]);
    expect([r.state(), dials(r).at(-1), losses]).toEqual(['connecting', PLAIN, []]);
    r.sockets.last.opens();
    await r.settle();
    expect([r.state(), r.status().wire, losses]).toMatchObject(['open', PLAIN, [{ why: 'plain' }]]);
  });

  test.each([
    ['is down, which its status says', (r: Rig<FakeNodeSocket>) => r.sockets.last.refuses(503)],
    ['is down, which nothing says', (r: Rig<FakeNodeSocket>) => r.sockets.last.ends(1006)],
  ])('is asked for however long its server %s, also if nobody remembers what it spoke', async (_what, ends) => {
    const r = await hadSession(31 * 60_000);
    await endure(r, 40 * 60_000, () => ends(r));
    expect(new Set(dials(r))).toEqual(new Set([OFFERED]));
  });

  test('is asked for again, and given up no sooner, after it was found again', async () => {
    const r = await hadSession();
    await endure(r, 100_000, () => {
      r.sockets.last.refuses(426);
    });
    await welcomed(r, { ...KEPT, resumed: true, tok: 'k2' });
    expect(r.state()).toBe('open');
    await loses(r);
    // longer than anybody remembers what it spoke
    await endure(r, 40 * 60_000, () => {
      r.sockets.last.refuses(503);
    });
    expect(new Set(dials(r))).toEqual(new Set([OFFERED]));
  });

  test('is asked for as long again when its server was asked for it once more, and may have it although nothing was heard', async () => {
    const r = await hadSession();
    await endure(r, 100_000, () => {
      r.sockets.last.refuses(503);
    });
    r.sockets.last.opens();
    new ServerScript(r.sockets.last).srv();
    await r.settle();
    await loses(r);
    const tookMs = await endure(r, 600_000, () => {
      r.sockets.last.refuses(400);
    });
    // from when that socket was lost, a wait of up to 30 s before the first of these refusals
    expect([tookMs > 139_000, dials(r).at(-1)]).toEqual([true, PLAIN]);
  });
});

describe.each(['plain', 'required'] as const)('a handshake that is refused with 400, where the wire is %s', (wire) => {
  test('ends the connection, for there is no other', async () => {
    const r = await asked(wire);
    await refused(r, 400);
    expect([r.state(), r.sockets.all.length]).toEqual(['failed', 1]);
  });
});
