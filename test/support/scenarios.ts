/** What runs in a plain Node process of its own: the first argument names a scenario. Each reports as lines of JSON. */
import { WebSocket } from 'ws';

import type {
  Connection,
  ConnectionState,
  EnhancedWebSocketOptions,
  EnhancedWebSocketService,
} from '../../src/index.ts';
import { pause, until } from './deadline.ts';

type Scenario = (...args: string[]) => Promise<unknown>;

function report(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

// loaded no earlier than a scenario asks for it, so that one can look at the process before and after
const library = () => import('../../src/index.ts');

/** What holds the process, beside its output. */
function resources(): string[] {
  return process.getActiveResourcesInfo().filter((name) => name !== 'Immediate' && name !== 'PipeWrap');
}

/** A few turns of the event loop, for handles that are closing. */
async function turns(count = 10): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A clock that knows which of its timers are pending. */
async function countingClock(): Promise<{
  clock: NonNullable<EnhancedWebSocketOptions['clock']>;
  pending: Set<unknown>;
}> {
  const { systemClock } = await library();
  const system = systemClock();
  const pending = new Set<unknown>();
  return {
    pending,
    clock: {
      now: () => system.now(),
      setTimeout: (callback, delayMs) => {
        const handle = system.setTimeout(() => {
          pending.delete(handle);
          callback();
        }, delayMs);
        pending.add(handle);
        return handle;
      },
      clearTimeout: (handle) => {
        pending.delete(handle);
        system.clearTimeout(handle);
      },
    },
  };
}

async function makeService(options: EnhancedWebSocketOptions): Promise<EnhancedWebSocketService> {
  const { EnhancedWebSocketService: Service } = await library();
  return new Service({ WebSocket, ...options });
}

function reaches(service: EnhancedWebSocketService, state: ConnectionState): Promise<unknown> {
  return until(`the connection is ${state}`, () => service.getConnections()[0]?.state === state);
}

/** Ends a service in a given state; the parent sees whether the process then ends by itself. */
async function destroyIn(state: string, url: string): Promise<unknown> {
  const { clock, pending } = await countingClock();
  report('ready');
  const before = resources();
  const service = await makeService({
    clock,
    services: {
      main: { url, heartbeat: { intervalMs: 50, lateMs: 50, timeoutMs: 60_000 }, retry: { baseMs: 30_000 } },
    },
  });
  if (state !== 'idle') void service.connect({ serviceType: 'main' });
  if (state === 'closing' || state === 'closed') {
    await reaches(service, 'open');
    void service.disconnect('main');
  }
  if (state !== 'idle') await reaches(service, state as ConnectionState);
  await service.destroy({ deadlineMs: 200 });
  const timers = pending.size;
  await turns();
  return { before, after: resources(), timers, status: service.getConnections() };
}

/** Leaves a connection in backoff and a service that nobody destroys. */
async function backoff(unrefTimers: string, url: string): Promise<unknown> {
  const service = await makeService({
    unrefTimers: unrefTimers === 'true',
    services: { main: { url, retry: { baseMs: 60_000, capMs: 60_000 } } },
  });
  void service.connect({ serviceType: 'main' });
  // no timer here: it would hold the process just as the ones in question
  await new Promise((resolve) => service.on('retrying', resolve));
  return 'in backoff';
}

/** Leaves a closed connection and a service that nobody destroys. */
async function closed(url: string): Promise<unknown> {
  const service = await makeService({ services: { main: { url } } });
  const id = await service.connect({ serviceType: 'main' });
  await service.disconnect(id);
  return service.getConnectionStatus(id)?.state;
}

/** Watches its link closely, until the server has had enough. */
async function watchful(url: string, timeoutMs: string): Promise<unknown> {
  const service = await makeService({
    services: {
      main: { url, heartbeat: { intervalMs: 50, lateMs: 100, timeoutMs: Number(timeoutMs), ping: () => 'ping' } },
    },
  });
  const ends: string[] = [];
  service.on('closed', ({ error }) => ends.push(error?.code ?? 'none'));
  const said = new Promise<void>((resolve) => {
    service.on('message', ({ data }) => {
      if (data === 'enough') resolve();
    });
  });
  await service.connect({ serviceType: 'main' });
  await said;
  const { generation } = service.connection('main').status;
  const lost = [...ends];
  await service.destroy();
  return { generation, lost };
}

/** Collects garbage until nothing of the given is left, or it is plain that something stays. */
async function collected(references: readonly WeakRef<object>[]): Promise<number> {
  for (let round = 0; round < 20; round++) {
    await pause(5);
    globalThis.gc?.();
    if (references.every((reference) => reference.deref() === undefined)) break;
  }
  return references.filter((reference) => reference.deref() !== undefined).length;
}

/** A connection that a running service has let go of, and the sockets of one that lives. */
async function garbage(url: string): Promise<unknown> {
  const sockets: WeakRef<object>[] = [];
  class Weak extends WebSocket {
    constructor(address: string, protocols?: string[]) {
      super(address, protocols);
      sockets.push(new WeakRef(this));
    }
  }
  const service = await makeService({
    WebSocket: Weak,
    maxInactive: 0,
    services: { main: { url, retry: { baseMs: 5, capMs: 5 } } },
  });
  const connections: WeakRef<Connection>[] = [];
  for (let round = 0; round < 10; round++) {
    const id = await service.connect({ serviceType: 'main', key: String(round) });
    connections.push(new WeakRef(service.connection(id)));
    await service.sendMessage(id, 'hello');
    await service.disconnect(id);
  }
  const known = service.getConnections().length;
  const keptConnections = await collected(connections);
  const id = await service.connect({ serviceType: 'main', key: 'living' });
  for (let round = 0; round < 10; round++) {
    const reopened = new Promise((resolve) => service.on('opened', resolve));
    await service.sendMessage(id, 'terminate');
    await reopened;
  }
  const keptSockets = await collected(sockets.slice(0, -1));
  await service.destroy();
  return { known, connections: connections.length, keptConnections, sockets: sockets.length, keptSockets };
}

/** Everything that rejects, with nobody to hear it. */
async function unawaited(url: string, nowhere: string): Promise<unknown> {
  const warnings: string[] = [];
  process.on('warning', ({ message }) => warnings.push(message));
  const rejects = (): Promise<never> => Promise.reject(new Error('nobody hears this'));
  const throws = (): never => {
    throw new Error('nobody catches this');
  };
  let faults = 0;
  const service = await makeService({
    services: {
      main: { url },
      nowhere: { url: nowhere, retry: { baseMs: 5, capMs: 10 } },
      once: { url: nowhere, retry: { maxRetries: 0 } },
      locked: { url, credentials: rejects, retry: { baseMs: 5, capMs: 10 } },
      lost: { url: rejects, retry: { baseMs: 5, capMs: 10 } },
      undecided: { url: nowhere, retry: { baseMs: 5, capMs: 10 }, decide: throws },
      undecidable: { url: nowhere, retry: { baseMs: 5, capMs: 10 }, decide: rejects as never },
    },
    inspect: rejects,
    onError: () => {
      faults += 1;
      return rejects() as never;
    },
  });
  for (const type of ['opened', 'closed', 'retrying', 'gaveUp', 'status', 'message', 'error'] as const)
    service.on(type, rejects);

  const controller = new AbortController();
  for (const serviceType of ['nowhere', 'once', 'locked', 'lost', 'undecided', 'undecidable', 'no such service']) {
    void service.connect({ serviceType });
    void service.connect({ serviceType, signal: controller.signal });
    void service.connect({ serviceType, signal: AbortSignal.abort() });
    void service.connect({ serviceType, timeoutMs: 20 });
    void service.sendMessage(serviceType, 'never awaited');
    void service.sendMessage(serviceType, 1n);
  }
  void service.disconnect('no such id');
  void service.sendMessage('no such id', 'hello');

  const id = await service.connect({ serviceType: 'main' });
  const connection = service.connection(id);
  connection.subscribe(rejects);
  void connection.messages().next();
  void connection.send({ toJSON: throws }).settled;
  void connection.send(1n).settled;
  void connection.close({ code: 1 });
  void service.sendMessage(id, 'hello');
  await until('the echo is heard', () => connection.status.messages.received > 0);
  controller.abort(new Error('enough'));
  await pause(50);
  for (const { connectionId } of service.getConnections()) {
    void service.sendMessage(connectionId, 'too late');
    void service.connection(connectionId).messages().next();
  }
  void service.destroy();
  await service.destroy();
  void service.connect({ serviceType: 'main' });
  void service.sendMessage(id, 'later still');
  void service.disconnect(id);
  void connection.connect();
  void connection.close();
  await turns();
  return { faults: faults > 0, warnings };
}

/** Sockets that are let go of before they are open. */
async function closeWhileConnecting(url: string): Promise<unknown> {
  const service = await makeService({ services: { main: { url } } });
  for (let round = 0; round < 20; round++) {
    void service.connect({ serviceType: 'main' });
    await pause(round % 4);
    void service.disconnect('main');
  }
  await service.destroy({ deadlineMs: 0 });
  return 'survived';
}

const WATCHED = ['WebSocket', 'CloseEvent', 'document', 'window', 'addEventListener', 'localStorage'];

/** An inspector of Stately's whose adapter throws: from a timer of its own, out of anybody's reach. */
async function throwingInspector(url: string): Promise<unknown> {
  const { createInspector } = await import('@statelyai/inspect');
  const escaped: string[] = [];
  process.on('uncaughtException', ({ message }) => escaped.push(message));
  const inspector = createInspector({
    send: () => {
      throw new Error('the adapter is broken');
    },
  });
  const service = await makeService({ services: { main: { url } }, inspect: inspector.inspect });
  const id = await service.connect({ serviceType: 'main' });
  await service.sendMessage(id, 'hello');
  const { status } = service.connection(id);
  await until('the echo is heard', () => service.getConnectionStatus(id)?.messages.received === 1);
  await service.disconnect(id);
  const end = service.getConnectionStatus(id)?.state;
  await service.destroy();
  await turns();
  return { state: status.state, end, escaped: [...new Set(escaped)] };
}

/** Loads the library and makes a service where the platform has nothing of a browser. */
async function importing(): Promise<unknown> {
  const before = resources();
  const touched: string[] = [];
  for (const name of WATCHED) {
    Object.defineProperty(globalThis, name, {
      configurable: true,
      get: () => {
        touched.push(name);
        return undefined;
      },
    });
  }
  const { EnhancedWebSocketService: Service } = await library();
  const imported = [...touched];
  const service = new Service({
    services: { main: { url: '/relative/to/a/page' }, other: { url: 'ws://127.0.0.1:1' } },
  });
  const constructed = [...touched];
  const statuses = service.getConnections();
  await turns();
  const after = resources();
  const refusal: unknown = await service.connect({ serviceType: 'other' }).catch((error: unknown) => error);
  await service.destroy();
  await turns();
  const { code, category } = refusal as { code?: string; category?: string };
  return { before, after, end: resources(), imported, constructed, statuses, code, category };
}

const scenarios: Record<string, Scenario> = {
  destroyIn,
  backoff,
  closed,
  watchful,
  garbage,
  unawaited,
  closeWhileConnecting,
  throwingInspector,
  importing,
  converse: async (url) => (await import('./conversation.ts')).converse(url),
  appendForEver: async (path) => (await import('./audit-scenarios.ts')).appendForEver(path, report),
  fillDisk: async (path, outside) => (await import('./audit-scenarios.ts')).fillDisk(path, outside),
  openReadOnly: async (path, outside) => (await import('./audit-scenarios.ts')).openReadOnly(path, outside),
};

const [, , name = '', ...args] = process.argv;
const scenario = scenarios[name];
if (!scenario) throw new Error(`There is no scenario "${name}".`);
// a failure is an exit code: nothing here may count as an unhandled rejection of the library
scenario(...args).then(report, (error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
