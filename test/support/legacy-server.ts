import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';

import { LegacyTerminals } from './legacy-terminals.ts';

type Json = Record<string, unknown>;

/** One client, and what the server remembers of it. */
interface Client {
  socket: WebSocket;
  /** Of its own making: none is taken over from a connection before. */
  sessionId: string;
  /** It said something since the last reaping. */
  isActive: boolean;
  topics: Set<string>;
}

/**
 * The server that the original was written for, as it behaves on the wire: three endpoints, no ids echoed, no batches
 * understood, 1000 for a client that idles, and a shell that a wrong word silences. Every oddity is the real one's. Left out are
 * previews, and the replay of a session that nobody can use.
 */
export class LegacyServer {
  /** Every frame that came, by endpoint. */
  readonly heard: Record<'main' | 'chat' | 'terminal', (string | Buffer)[]> = { main: [], chat: [], terminal: [] };
  /** Paths that were asked for, in order. */
  readonly paths: string[] = [];
  readonly terminals = new LegacyTerminals();
  /** An HTTP status that every handshake is refused with, as when an endpoint is missing (403) or full (500). */
  refusal: number | undefined;
  /** Holds the next execution until it is called. */
  readonly executions: (() => void)[] = [];
  /** Whether executions wait in {@link LegacyServer.executions}. */
  isBusy = false;
  readonly #clients = { main: new Set<Client>(), chat: new Set<Client>() };
  // what the chat has stored, by session
  readonly #stored = new Map<string, Json[]>();
  readonly #running = new Map<string, object>();
  readonly #http: Server = createServer();
  // as its real counterpart offers it
  readonly #wss = new WebSocketServer({ noServer: true, perMessageDeflate: true });
  #ids = 0;

  constructor() {
    this.#http.on('upgrade', (request, socket: Socket, head) => {
      this.paths.push(request.url ?? '');
      socket.on('error', () => undefined);
      if (this.refusal !== undefined) {
        socket.end(`HTTP/1.1 ${this.refusal} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      this.#wss.handleUpgrade(request, socket, head, (webSocket) => {
        this.#adopt(webSocket, request);
      });
    });
  }

  get base(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => {
      this.#http.listen(0, '127.0.0.1', resolve);
    });
  }

  /** Stops as the real one does: every client is told 1012. */
  async stop(): Promise<void> {
    for (const socket of this.#wss.clients) socket.close(1012);
    this.terminals.stop();
    await new Promise((resolve) => this.#http.close(resolve));
    for (const socket of this.#wss.clients) socket.terminate();
  }

  /** Cuts every client off without a close frame. */
  cut(): void {
    for (const socket of this.#wss.clients) socket.terminate();
  }

  /** Closes the clients of main that said nothing since the last time, with 1000. */
  reap(): void {
    for (const client of this.#clients.main) {
      if (!client.isActive) client.socket.close(1000, 'idle');
      client.isActive = false;
    }
  }

  /** Tells every client of main that is subscribed to the topic's family. */
  publish(topic: string, data: Json): void {
    const family = topic.split('.')[0] ?? '';
    for (const { socket, topics } of this.#clients.main) {
      if (![...topics].some((each) => each.split('.')[0] === family)) continue;
      send(socket, { type: 'filesystem_event', event: topic, data, timestamp: seconds() });
    }
  }

  /** The messages of a session, as `GET /api/chat/messages` lists them. */
  stored(sessionId: string): readonly Json[] {
    return this.#stored.get(sessionId) ?? [];
  }

  #adopt(socket: WebSocket, { url = '' }: IncomingMessage): void {
    socket.on('error', () => undefined);
    const [, id] = /^\/ws\/terminal\/(.+)$/.exec(url) ?? [];
    if (id !== undefined) {
      socket.on('message', (data, isBinary) => this.heard.terminal.push(frameOf(data as Buffer, isBinary)));
      this.terminals.open(id, socket);
    } else if (url === '/ws/chat') this.#openChat(socket);
    else if (url === '/ws') this.#openMain(socket);
    else socket.close(1008);
  }

  #join(endpoint: 'main' | 'chat', socket: WebSocket): Client {
    const client: Client = { socket, sessionId: `session-${++this.#ids}`, isActive: true, topics: new Set() };
    this.#clients[endpoint].add(client);
    socket.on('close', () => this.#clients[endpoint].delete(client));
    return client;
  }

  #openMain(socket: WebSocket): void {
    const client = this.#join('main', socket);
    for (const topic of ['fs.*', 'hop.*']) client.topics.add(topic);
    send(socket, {
      type: 'welcome',
      connection_id: client.sessionId,
      session_id: null,
      user_id: null,
      timestamp: seconds(),
    });
    // one message after the other: a long execution holds up whatever follows, pongs included
    let turn: Promise<void> = Promise.resolve();
    socket.on('message', (data, isBinary) => {
      this.heard.main.push(frameOf(data as Buffer, isBinary));
      client.isActive = true;
      if (isBinary) socket.close(1000);
      else turn = turn.then(() => this.#answerMain(client, (data as Buffer).toString()));
    });
  }

  async #answerMain(client: Client, text: string): Promise<void> {
    const { socket, topics } = client;
    const message = parsed(text);
    if (!message) {
      send(socket, { type: 'error', message: 'Invalid JSON', timestamp: seconds() });
      return;
    }
    const wanted = [message['topics'] ?? []].flat() as string[];
    switch (message['type']) {
      case 'ping': {
        send(socket, { type: 'pong', timestamp: seconds() });
        return;
      }
      case 'subscribe':
        for (const topic of wanted) topics.add(topic);
        {
          send(socket, { type: 'subscribed', topics: wanted, timestamp: seconds() });
          return;
        }
      case 'unsubscribe':
        for (const topic of wanted) topics.delete(topic);
        {
          send(socket, { type: 'unsubscribed', topics: wanted, timestamp: seconds() });
          return;
        }
      case 'json-rpc': {
        const { method, params } = Object(message['payload']) as { method?: unknown; params?: { topics?: unknown } };
        const isKnown = method === 'subscribe' || method === 'unsubscribe';
        const again = JSON.stringify({ type: isKnown ? method : 'jsonrpc', topics: params?.topics });
        return this.#answerMain(client, again);
      }
      case 'jsonrpc': {
        send(socket, { type: 'jsonrpc_response', response: { code: -32603, message: 'from_dict' } });
        return;
      }
      case 'execute':
        return this.#execute(socket, message);
      default:
        // whatever else it is becomes an event that nobody listens to; a batch, too
        return;
    }
  }

  async #execute(socket: WebSocket, { code, execution_id = `execution-${++this.#ids}` }: Json): Promise<void> {
    if (this.isBusy) await new Promise<void>((resolve) => this.executions.push(resolve));
    const result = { status: 'completed', output: `ran ${String(code)}`, errors: [], execution_time: 0, exit_code: 0 };
    send(socket, { type: 'execution_result', execution_id, ...result, language: 'python' });
  }

  #openChat(socket: WebSocket): void {
    const client = this.#join('chat', socket);
    send(socket, { type: 'agent_status', agent: { available: true, name: 'agent', type: 'test' } });
    send(socket, { type: 'connected', session_id: client.sessionId, timestamp: seconds() });
    socket.on('message', (data, isBinary) => {
      this.heard.chat.push(frameOf(data as Buffer, isBinary));
      const message = isBinary ? undefined : parsed((data as Buffer).toString());
      if (message) this.#answerChat(client, message);
      else send(socket, { type: 'error', message: 'Invalid message' });
    });
  }

  #answerChat(client: Client, message: Json): void {
    const { socket, sessionId } = client;
    switch (message['type']) {
      case 'message':
        return this.#converse(client, message);
      case 'ping':
        return send(socket, { type: 'pong', timestamp: seconds() });
      case 'get_status':
        return send(socket, { type: 'status', agent: { available: true } });
      case 'get_config':
        return send(socket, { type: 'config', config: {} });
      case 'update_config':
        for (const each of this.#clients.chat) send(each.socket, { type: 'config', config: message['config'] });
        return send(socket, { type: 'config_updated' });
      case 'stop':
        this.#running.delete(sessionId);
        send(socket, { type: 'stream_stopped', session_id: sessionId });
        return send(socket, { type: 'stop_response', success: true, session_id: sessionId });
      default:
    }
  }

  // the answer comes in chunks, to whoever is bound to the session at that moment; a second message cancels it
  #converse(client: Client, { content, metadata }: Json): void {
    if (typeof content !== 'string' || content.trim() === '') return;
    const { session_id } = Object(metadata) as { session_id?: string };
    if (session_id !== undefined) client.sessionId = session_id;
    const { sessionId } = client;
    this.#store(sessionId, { id: `message-${++this.#ids}`, sender: 'user', content });
    const answer = { id: `message-${++this.#ids}`, sender: 'ai', content: `you said ${content}` };
    const run = {};
    this.#running.set(sessionId, run);
    const steps = [
      { stream_start: true },
      ...answer.content.split(' ').map((chunk) => ({ stream_chunk: true, chunk })),
      { stream_end: true },
    ];
    const next = (): void => {
      const step = steps.shift();
      if (this.#running.get(sessionId) !== run) return;
      if (!step) return this.#store(sessionId, answer);
      this.#toSession(sessionId, {
        type: 'message_stream',
        id: answer.id,
        sender: 'ai',
        session_id: sessionId,
        ...step,
      });
      setImmediate(next);
    };
    next();
  }

  #store(sessionId: string, message: Json): void {
    this.#stored.set(sessionId, [...this.stored(sessionId), message]);
    if (message['sender'] !== 'ai') this.#toSession(sessionId, { type: 'message', session_id: sessionId, ...message });
  }

  #toSession(sessionId: string, message: Json): void {
    for (const client of this.#clients.chat) if (client.sessionId === sessionId) send(client.socket, message);
  }
}

/** Starts such a server, which is stopped when the test is over. */
export async function startLegacyServer(): Promise<LegacyServer> {
  const server = new LegacyServer();
  await server.listen();
  onTestFinished(() => server.stop());
  return server;
}

function frameOf(data: Buffer, isBinary: boolean): string | Buffer {
  return isBinary ? data : data.toString();
}

function send(socket: WebSocket, message: Json): void {
  socket.send(JSON.stringify(message));
}

function parsed(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}

function seconds(): number {
  return Date.now() / 1_000;
}
