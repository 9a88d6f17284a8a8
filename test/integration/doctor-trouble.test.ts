import { createHash } from 'node:crypto';
import type { ServerOpts, Socket } from 'node:net';
import { describe, expect, test } from 'vitest';

import { selfSigned } from '../support/certificate.ts';
import { pause } from '../support/deadline.ts';
import { examined, SOUND, verdicts } from '../support/doctor.ts';
import { startAnswering, startEndpoint, startRawEndpoint, type Endpoint } from '../support/endpoints.ts';
import { freePort, startServer } from '../support/server.ts';

describe('a handshake', () => {
  test.each([
    [200, [], /no WebSocket/],
    [301, ['Location: https://example.com/in?code=hush'], /go to https:\/\/example.com\/in\?code=…/],
    [302, ['Location: /login'], /go to ws:\/\/127.0.0.1:\d+\/login/],
    [401, ['WWW-Authenticate: Bearer'], /credentials/],
    [403, [], /not allowed/],
    [404, ['Server: nginx'], /nothing at this path; server: nginx/],
    [426, [], /another protocol/],
    [429, ['Retry-After: 8'], /too many requests; retry-after: 8/],
    [503, [], /not available/],
  ])('that is refused with %i says why', async (status, headers, detail) => {
    const server = await startAnswering(`HTTP/1.1 ${status} Refused`, ...headers, 'Content-Length: 9');
    const examination = await examined(server);
    expect(verdicts(examination)).toMatchObject({ network: 'passed', handshake: 'failed', wire: 'skipped' });
    const { detail: told, advice, facts } = examination.of('handshake');
    expect(told).toMatch(detail);
    expect(told).toContain(String(status));
    expect(facts?.['status']).toBe(status);
    expect(advice).toBeTruthy();
    expect(JSON.stringify(examination)).not.toContain('hush');
  });

  test('tells by the date of a refusal that a clock is off', async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    const server = await startAnswering('HTTP/1.1 401 Unauthorized', `Date: ${date}`);
    const { of } = await examined(server);
    expect(of('clock')).toMatchObject({
      verdict: 'warning',
      detail: expect.stringMatching(/^60 minutes ahead/) as string,
    });
  });

  test('that is refused for an unknown subprotocol is asked for without it', async () => {
    const server = await startEndpoint({
      options: {
        handleProtocols: () => false,
        verifyClient: ({ req }: { req: { headers: Record<string, unknown> } }, answer) => {
          answer(req.headers['sec-websocket-protocol'] === undefined, 400);
        },
      },
    });
    const examination = await examined(server);
    expect(verdicts(examination)).toEqual(SOUND);
    expect(examination.of('handshake')).toMatchObject({ facts: { status: 101, refusedWire: 400 } });
    expect(examination.of('subprotocol').facts).toEqual({ offered: [], selected: null });
  });

  test.each([
    ['never answered', [], /^no answer/],
    ['answered with garbage', ['SSH-2.0-OpenSSH_9.2'], /^no HTTP/],
    ['answered byte by byte, and never to the end', 'drip', /^no answer/],
    ['answered with an alert of TLS', [String.fromCharCode(0x15, 3, 3, 0, 2, 2, 70)], /speaks TLS/],
    ['cut', 'cut', /ended without an answer/],
    ['answered with headers without end', 'headers', /^no HTTP/],
    ['not as RFC 6455 has it', ['HTTP/1.1 101 Yes', 'Upgrade: websocket', 'Connection: upgrade'], /^101, but no valid/],
  ])('that is %s fails in time', async (_, answer, detail) => {
    const server = await startRawEndpoint((socket) => {
      socket.once('data', () => {
        if (answer === 'cut') socket.destroy();
        else if (answer === 'drip') drip(socket, 'HTTP/1.1 101 Switching Protocols\r\nX: ');
        else if (answer === 'headers') flood(socket, 'X-More: and more\r\n', 'HTTP/1.1 200 OK\r\n');
        else if (answer.length > 0) socket.write(`${(answer as string[]).join('\r\n')}\r\n\r\n`);
      });
    });
    const startedAt = performance.now();
    const examination = await examined(server, '--timeout', '0.5');
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(examination.of('handshake')).toMatchObject({
      verdict: 'failed',
      detail: expect.stringMatching(detail) as string,
    });
  });

  test('is not asked for where nothing listens', async () => {
    const port = await freePort();
    const examination = await examined({ url: `ws://127.0.0.1:${port}`, tcp: new Set() });
    expect(verdicts(examination)).toMatchObject({ network: 'failed', tls: 'skipped', handshake: 'skipped' });
  });
});

describe('TLS', () => {
  test('with a certificate that is signed by itself fails, and nothing is asked', async () => {
    const server = await startEndpoint({ keyPair: selfSigned() });
    const examination = await examined(server);
    expect(verdicts(examination)).toMatchObject({ tls: 'failed', handshake: 'skipped' });
    expect(examination.of('tls').facts).toMatchObject({ problem: 'DEPTH_ZERO_SELF_SIGNED_CERT', subject: '127.0.0.1' });
    expect(server.requests).toEqual([]);
  });

  test('goes on with such a certificate where that is wished, and tells it', async () => {
    const server = await startEndpoint({ keyPair: selfSigned(), options: { handleProtocols: () => false } });
    const examination = await examined(server, '--insecure');
    expect(verdicts(examination)).toEqual({ ...SOUND, tls: 'warning' });
    expect(examination.of('tls').detail).toMatch(/signed by itself.*TLSv1\.3.*364 days left/);
  });

  test.each([
    ['for another host', { host: 'example.com' }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['that has expired', { daysLeft: -3 }, 'CERT_HAS_EXPIRED'],
  ])('tells of a certificate %s', async (_, certificate, problem) => {
    const server = await startEndpoint({ keyPair: selfSigned(certificate) });
    const { facts } = (await examined(server, '--insecure', '--wire-timeout', '0')).of('tls');
    expect(facts).toMatchObject({ problem });
  });

  test('that a server does not speak is told, and one that is spoken too', async () => {
    const plain = await startEndpoint();
    const inTheClear = await examined({ ...plain, url: plain.url.replace('ws:', 'wss:') });
    expect(inTheClear.of('tls')).toMatchObject({
      verdict: 'failed',
      detail: expect.stringContaining('not speak TLS') as string,
    });
    const secure = await startEndpoint({ keyPair: selfSigned() });
    const encrypted = await examined({ ...secure, url: secure.url.replace('wss:', 'ws:') });
    expect(encrypted.of('handshake')).toMatchObject({
      verdict: 'failed',
      advice: expect.stringContaining('wss:') as string,
    });
  });

  test('that is never answered ends with the time', async () => {
    const server = await startRawEndpoint((socket) => socket.resume());
    const examination = await examined({ ...server, url: server.url.replace('ws:', 'wss:') }, '--timeout', '0.3');
    expect(examination.of('tls')).toMatchObject({ verdict: 'failed', detail: 'no answer to the TLS handshake' });
  });
});

describe('a server that behaves badly', () => {
  test('and answers no ping and no close is told so, and left', async () => {
    const server = await startServer({ upgrade: 'mute' });
    const examination = await examined(server);
    expect(verdicts(examination)).toEqual({ ...SOUND, 'round-trip': 'warning', close: 'warning' });
    expect(examination.of('round-trip').detail).toBe('pings are not answered');
    expect(examination.of('close').detail).toMatch(/^not answered within 2\.\d\d s$/);
  });

  test('and answers the close, but stays, is told so, and left', async () => {
    const server = await startFramed(Buffer.from([0x88, 0x02, 0x03, 0xe8]), { afterMs: 700, allowHalfOpen: true });
    // it goes on only when it is left
    const leaving = pause(3_500).then(() => server.tcp.forEach((socket) => socket.destroy()));
    const examination = await examined(server, '--pings', '0');
    expect(examination.of('close')).toMatchObject({ verdict: 'warning', facts: { code: 1000, isLeftOpen: true } });
    await leaving;
  });

  test('and closes at once is told with code and reason, tamed', async () => {
    const server = await startEndpoint({
      options: { handleProtocols: () => false },
      onSocket: (socket) => {
        socket.close(4401, 'go to https://example.com/?token=hush\u001b[31m now');
      },
    });
    const examination = await examined(server);
    expect(verdicts(examination)).toMatchObject({ wire: 'failed', 'round-trip': 'skipped', close: 'skipped' });
    expect(examination.of('wire')).toMatchObject({
      detail: 'ended by the server: close 4401 (go to https://… now)',
      facts: { code: 4401 },
      advice: expect.stringContaining('credentials') as string,
    });
  });

  test.each([
    ['a frame of 100 MB', Buffer.from([0x82, 0x7f, 0, 0, 0, 0, 0x06, 0, 0, 0]), /Max payload size exceeded/],
    ['garbage for frames', Buffer.from('HTTP/1.1 200 OK'), /Invalid WebSocket frame/],
  ])('and sends %s is told what is wrong', async (_, frame, detail) => {
    const server = await startFramed(frame);
    const examination = await examined(server);
    expect(examination.of('wire')).toMatchObject({
      verdict: 'failed',
      detail: expect.stringMatching(detail) as string,
    });
  });

  test('and sends without end is examined all the same, in time', async () => {
    const server = await startEndpoint({
      options: { handleProtocols: () => false },
      onSocket: (socket) => {
        const more = (): void => {
          if (socket.readyState === socket.OPEN) socket.send('x'.repeat(65_536), () => setImmediate(more));
        };
        more();
      },
    });
    const startedAt = performance.now();
    const examination = await examined(server, '--timeout', '2');
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(verdicts(examination)).toMatchObject({ handshake: 'passed', wire: 'passed' });
  });

  test('and takes longer than the run has time is told by how far that came', async () => {
    const server = await startServer({ upgrade: 'mute' });
    const examination = await examined(server, '--timeout', '1');
    expect(verdicts(examination)).toMatchObject({ wire: 'passed', 'round-trip': 'warning', close: 'skipped' });
    expect(examination.of('round-trip').detail).toBe('the time of the run was up');
  });
});

/** Starts a server that shakes hands as it should, and then sends these bytes, whatever comes. */
function startFramed(bytes: Buffer, options: ServerOpts & { afterMs?: number } = {}): Promise<Endpoint> {
  const { afterMs = 0 } = options;
  return startRawEndpoint((socket) => {
    socket.once('data', (request: Buffer) => {
      const [, key = ''] = /sec-websocket-key: (\S+)/i.exec(request.toString()) ?? [];
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade';
      socket.write(`${head}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
      void pause(afterMs).then(() => socket.write(bytes));
      socket.resume();
    });
  }, options);
}

function drip(socket: Socket, start: string): void {
  socket.write(start);
  const timer = setInterval(() => socket.write('x'), 20);
  socket.on('close', () => {
    clearInterval(timer);
  });
}

function flood(socket: Socket, line: string, start: string): void {
  socket.write(start);
  const more = (): void => {
    if (socket.writable) socket.write(line.repeat(100), () => setImmediate(more));
  };
  more();
}
