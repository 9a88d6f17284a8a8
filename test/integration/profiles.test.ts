import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { chatService, type ChatMessage } from '../../examples/profiles/chat.ts';
import { mainService, type MainMessage } from '../../examples/profiles/main.ts';
import { resize, terminalService, typed, type TerminalSize } from '../../examples/profiles/terminal.ts';
import { EnhancedWebSocketService } from '../../src/index.ts';
import { startClient } from '../support/client.ts';
import { until } from '../support/deadline.ts';
import { startLegacyServer, type LegacyServer } from '../support/legacy-server.ts';
import { echo, startServer } from '../support/server.ts';
import { audited } from '../support/audited.ts';

const retry = { baseMs: 20, capMs: 200, promptMs: 20 };

interface Trio {
  server: LegacyServer;
  service: ReturnType<typeof serviceFor>;
  size: TerminalSize;
}

function serviceFor(server: LegacyServer, size: TerminalSize) {
  return new EnhancedWebSocketService({
    WebSocket,
    services: {
      terminal: { ...terminalService(server.base, () => size), retry },
      chat: { ...chatService(server.base), retry },
      main: { ...mainService(server.base, () => ['scm.*']), retry },
    },
  });
}

/** The server cuts everybody off, and the client has noticed. */
async function cut({ server, service }: Trio, id: string): Promise<void> {
  server.cut();
  await until('the loss is noticed', () => service.getConnectionStatus(id)?.state !== 'open');
}

async function trio(): Promise<Trio> {
  const server = await startLegacyServer();
  const size = { cols: 80, rows: 24 };
  const service = serviceFor(server, size);
  audited(service);
  return { server, service, size };
}

describe('the terminal profile', () => {
  async function opened() {
    const all = await trio();
    const id = await all.service.connect({ serviceType: 'terminal' });
    const connection = all.service.connection(id);
    let printed = '';
    connection.subscribe((text) => {
      printed += text;
    });
    const prints = (text: string): Promise<true> =>
      until(`the terminal prints ${text}`, () => printed.includes(text) || null);
    return { ...all, id, connection, prints };
  }

  test('types what is typed, and prints what is printed (original fault 2)', async () => {
    const { connection, prints, server } = await opened();
    const keys = [...Array.from('echo $((6*7))'), '\n'];
    for (const key of keys) connection.send(key);
    await prints('42\n');
    expect(server.heard.terminal.slice(1)).toEqual(keys);
  });

  test.each(['null', '42', '{"type":"pong"}', 'true', '"x"'])(
    'prints %s as it is (original fault 15)',
    async (text) => {
      const { connection, prints } = await opened();
      const heard: unknown[] = [];
      connection.subscribe((message) => heard.push(message));
      connection.send(`printf '%s' '${text}'; printf '\\n'\n`);
      await prints(`${text}\n`);
      expect(heard.every((message) => typeof message === 'string')).toBe(true);
    },
  );

  test('tells its size on each opening, before anything that was typed meanwhile (pain 15)', async () => {
    const all = await opened();
    const { connection, size, server, prints, id } = all;
    await until('its size is known', () => server.terminals.sizes.length === 1);
    Object.assign(size, { cols: 120, rows: 40 });
    await cut(all, id);
    connection.send('echo typed meanwhile\n');
    await prints('typed meanwhile');
    expect(server.terminals.sizes.map(({ cols, rows }) => [cols, rows])).toEqual([
      [80, 24],
      [120, 40],
    ]);
    expect(server.heard.terminal).toEqual([
      resize({ cols: 80, rows: 24 }),
      resize({ cols: 120, rows: 40 }),
      'echo typed meanwhile\n',
    ]);
  });

  test('has an id of its own for every attempt: the shell of the one before cannot kill the next', async () => {
    const all = await opened();
    const { connection, server, prints, id } = all;
    for (let loss = 1; loss <= 3; loss++) {
      // the shell that is left behind prints when its socket is gone
      const before = server.heard.terminal.length;
      connection.send('sleep 0.05; echo left behind\n');
      await until('the shell has it', () => server.heard.terminal.length > before);
      await cut(all, id);
      connection.send(`echo shell ${loss}\n`);
      await prints(`shell ${loss}\n`);
      await until('the shell that was left behind is gone', () => server.terminals.running === 1);
      connection.send(`echo still shell ${loss}\n`);
      await prints(`still shell ${loss}\n`);
    }
    expect(new Set(server.paths).size).toBe(server.paths.length);
  });

  test('lets a paste that looks like a control message reach the shell, whole or broken', async () => {
    const { connection, prints } = await opened();
    connection.send("cat <<'END'\n");
    for (const text of ['{"type":"ping"}\n', '{"type":broken\n', 'END\n'])
      for (const frame of typed(text)) connection.send(frame);
    await prints('{"type":"ping"}\n{"type":broken\n');
    connection.send('echo still here\n');
    await prints('still here');
  });

  test('never sends bytes, which would silence the shell for good', async () => {
    const { connection, prints } = await opened();
    await expect(connection.send(new Uint8Array(1) as never).settled).rejects.toMatchObject({ code: 'NOT_ENCODABLE' });
    connection.send('echo still here\n');
    await prints('still here');
  });
});

describe('the chat profile', () => {
  async function opened() {
    const all = await trio();
    const id = await all.service.connect({ serviceType: 'chat' });
    const connection = all.service.connection(id);
    const messages: ChatMessage[] = [];
    connection.subscribe((message) => messages.push(message));
    const said = (type: string, field?: string): Promise<ChatMessage> =>
      until(`the chat says ${type}`, () =>
        messages.find((message) => message.type === type && (!field || field in message)),
      );
    return { ...all, connection, messages, said };
  }

  test('converses: the greeting, a message, and its answer in chunks', async () => {
    const { connection, said, messages, server } = await opened();
    const { session_id } = await said('connected');
    connection.send({ type: 'message', content: 'hello there' });
    await said('message_stream', 'stream_end');
    expect(messages.flatMap(({ chunk }) => chunk ?? [])).toEqual(['you', 'said', 'hello', 'there']);
    expect(server.stored(session_id as string).map(({ sender }) => sender)).toEqual(['user', 'ai']);
  });

  test('sends two quick messages as two frames, and both are heard (original fault 1)', async () => {
    const { connection, server, said } = await opened();
    const { session_id } = await said('connected');
    for (const content of ['one', 'two']) connection.send({ type: 'message', content });
    await said('message_stream', 'stream_end');
    const users = server.stored(session_id as string).filter(({ sender }) => sender === 'user');
    expect(users.map(({ content }) => content)).toEqual(['one', 'two']);
  });

  test('asks what the server answers in order, though it echoes no id (original fault 18)', async () => {
    const { connection, messages } = await opened();
    const [status, config, stopped] = await Promise.all([
      connection.request({ type: 'get_status' }),
      connection.request({ type: 'get_config' }),
      connection.request({ type: 'stop' }),
    ]);
    expect([status.type, config.type, stopped.type]).toEqual(['status', 'config', 'stop_response']);
    expect(messages.some(({ type }) => type === 'status')).toBe(false);
  });

  test('asks in vain for what has no answer, once, and says that it may have been heard (original fault 17) (original fault 18)', async () => {
    const { connection, server } = await opened();
    const asked = connection.request({ type: 'message', content: 'is there a reply?' }, { timeoutMs: 100 });
    await expect(asked).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT', outcome: 'unknown' });
    expect(server.heard.chat).toHaveLength(1);
  });

  test('keeps pongs to itself', async () => {
    const { connection, messages, said } = await opened();
    await said('connected');
    connection.send({ type: 'ping' });
    await connection.request({ type: 'get_status' });
    expect(messages.map(({ type }) => type)).not.toContain('pong');
  });
});

describe('the main profile', () => {
  async function opened() {
    const all = await trio();
    const id = await all.service.connect({ serviceType: 'main' });
    const connection = all.service.connection(id);
    const messages: MainMessage[] = [];
    connection.subscribe((message) => messages.push(message));
    return { ...all, id, connection, messages };
  }

  test('subscribes after each opening, before anything else leaves (original fault 25) (pain 15)', async () => {
    const all = await opened();
    const { connection, server, messages, id } = all;
    await until('it is subscribed', () => messages.some(({ type }) => type === 'subscribed'));
    await cut(all, id);
    await connection.request({ type: 'execute', code: '1', execution_id: 'e1' });
    expect(server.heard.main.map((frame) => (JSON.parse(frame as string) as { type: string }).type)).toEqual([
      'subscribe',
      'subscribe',
      'execute',
    ]);
    server.publish('scm.commit', { id: 1 });
    await until('the event is there', () => messages.some(({ event }) => event === 'scm.commit'));
  });

  test('finds the result of each execution by its id, and no repetition (original fault 17) (original fault 18)', async () => {
    const { connection, server } = await opened();
    const results = await Promise.all(
      ['a', 'b', 'c'].map((code) => connection.request({ type: 'execute', code, execution_id: `e-${code}` })),
    );
    expect(results.map(({ output }) => output)).toEqual(['ran a', 'ran b', 'ran c']);
    expect(server.heard.main).toHaveLength(4);
  });

  test('tells of a request that was lost on the way, and does not repeat it (original fault 17) (pain 18)', async () => {
    const { connection, server } = await opened();
    server.isBusy = true;
    const asked = connection.request({ type: 'execute', code: 'pay', execution_id: 'e1' });
    await until('it runs', () => server.executions.length === 1);
    server.cut();
    await expect(asked).rejects.toMatchObject({ code: 'REPLY_LOST', outcome: 'unknown' });
    await until('it is open again', () => server.heard.main.length === 3);
    expect(server.heard.main.filter((frame) => String(frame).includes('execute'))).toHaveLength(1);
    for (const finish of server.executions) finish();
  });

  test('comes back when it is closed with 1000 for saying nothing (original fault 21)', async () => {
    const { service, id, server, messages } = await opened();
    const closes: number[] = [];
    service.on('closed', ({ code }) => closes.push(code));
    await until('it is subscribed', () => messages.some(({ type }) => type === 'subscribed'));
    server.reap();
    server.reap();
    await until('it is open again', () => service.getConnectionStatus(id)?.generation === 2);
    await until('it is subscribed again', () => messages.filter(({ type }) => type === 'subscribed').length === 2);
    expect(closes).toEqual([1000]);
  });

  test('is heard message by message: a wrapper around several would be swallowed (original fault 1)', async () => {
    const { connection, messages } = await opened();
    // what the original sent for two quick messages
    connection.send({ type: 'batch', messages: [{ type: 'ping' }] } as never);
    await connection.request({ type: 'execute', code: '1', execution_id: 'after the batch' });
    expect(messages.map(({ type }) => type)).toEqual(['welcome', 'subscribed']);
    const topics = ['a.*', 'b.*', 'c.*'];
    const answers = await Promise.all(
      topics.map((topic) => connection.request({ type: 'subscribe', topics: [topic] })),
    );
    expect(answers.map((answer) => answer['topics'])).toEqual(topics.map((topic) => [topic]));
  });
});

describe('a server that refuses', () => {
  test.each([502, 500])('the handshake with %i is tried again, within the limit', async (status) => {
    const { server, service } = await trio();
    server.refusal = status;
    service.updateConfig({ services: { chat: { retry: { ...retry, maxRetries: 2 } } } });
    await expect(service.connect({ serviceType: 'chat' })).rejects.toMatchObject({ code: 'RETRIES_EXHAUSTED' });
    expect(server.paths).toEqual(['/ws/chat', '/ws/chat', '/ws/chat']);
  });

  test('the handshake with 403 is not asked again', async () => {
    const { server, service } = await trio();
    server.refusal = 403;
    const refused = { code: 'HANDSHAKE_FAILED', category: 'permission_denied', httpStatus: 403 };
    await expect(service.connect({ serviceType: 'chat' })).rejects.toMatchObject(refused);
    expect(server.paths).toEqual(['/ws/chat']);
  });
});

describe('a large message', () => {
  test('passes untouched, both ways, also in fragments', async () => {
    const large = Array.from({ length: 131_072 }, (_, index) => `${index} é€😀`)
      .join('')
      .slice(0, 1_048_576);
    const server = await startServer({
      onSocket: (socket) => {
        echo(socket);
        // one message in three fragments, cut without regard to characters
        const bytes = Buffer.from(large);
        socket.send(bytes.subarray(0, 1_001), { fin: false, binary: false });
        socket.send(bytes.subarray(1_001, 500_002), { fin: false, binary: false });
        socket.send(bytes.subarray(500_002), { fin: true, binary: false });
      },
    });
    const client = startClient({ url: server.url, queue: { maxBytes: 10_000_000 } });
    const id = await client.connect();
    await client.service.sendMessage(id, large);
    const bytes = new Uint8Array(2_000_000).map((_, index) => index % 251);
    await client.service.sendMessage(id, bytes);
    await until('all is back', () => client.messages.length === 3);
    const [fragments, text, back] = client.messages;
    expect([fragments === large, text === large]).toEqual([true, true]);
    expect(Buffer.compare(Buffer.from(back as ArrayBuffer), bytes)).toBe(0);
  });

  test('over the limit is refused with its size, and the connection does not notice', async () => {
    const server = await startServer({ onSocket: echo });
    const client = startClient({ url: server.url, queue: { maxMessageBytes: 1_000 } });
    const id = await client.connect();
    const refused = client.service.sendMessage(id, 'x'.repeat(1_001));
    await expect(refused).rejects.toMatchObject({ code: 'MESSAGE_TOO_BIG', outcome: 'not_sent' });
    await client.service.sendMessage(id, 'fits');
    await until('the other is back', () => client.messages.length === 1);
    expect([client.messages, client.of('closed'), server.received]).toEqual([['fits'], [], ['fits']]);
  });
});
