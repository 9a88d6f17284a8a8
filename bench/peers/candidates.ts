import type { Candidate, Service, ServiceName } from './ends.ts';

// each process loads only what it runs
const sockets = () => import('./sockets.ts');
const holdfast = () => import('./holdfast.ts');
const socketIo = () => import('./socket-io.ts');
const socketIoClient = () => import('./socket-io-client.ts');
const graphqlWs = () => import('./graphql-ws.ts');
const mqtt = () => import('./mqtt.ts');
const bareBatches = () => import('./bare-batches.ts');
const bareIdle = () => import('./bare-idle.ts');

/** The server's side of each. */
export const SERVICE: Record<ServiceName, () => Promise<Service>> = {
  raw: async () => (await sockets()).serviceOf(false),
  'raw-deflate': async () => (await sockets()).serviceOf(true),
  'bare-batches': async () => (await bareBatches()).service,
  holdfast: async () => (await holdfast()).serviceOf(false),
  'holdfast-deflate': async () => (await holdfast()).serviceOf(true),
  'socket.io': async () => (await socketIo()).service,
  'graphql-ws': async () => (await graphqlWs()).service,
  mqtt: async () => (await mqtt()).service,
};

/** What everything is held against: `ws` at both ends, and nothing else. */
export const RAW: Candidate = {
  name: 'raw ws',
  service: 'raw',
  open: async (url, ears) => (await sockets()).openWs(url, ears),
};

export const HOLDFAST: Candidate = {
  name: 'holdfast.v1',
  service: 'holdfast',
  open: async (url, ears) => (await holdfast()).openHoldfast(url, ears, { use: 'required' }),
};

export const HOLDFAST_PLAIN: Candidate = {
  name: 'holdfast, plain wire',
  service: 'raw',
  open: async (url, ears) => (await holdfast()).openHoldfast(url, ears, 'plain'),
};

/** Messages in batches that are kept and acknowledged, and nothing else. */
export const BARE_BATCHES: Candidate = {
  name: 'bare batches',
  service: 'bare-batches',
  open: async (url, ears) => (await bareBatches()).openBareBatches(url, ears),
};

/** Connections that watch their link, and nothing else. */
export const BARE_IDLE: readonly Candidate[] = [
  {
    name: 'ws, pinging each 25 s',
    service: 'raw',
    open: async (url, ears) => (await bareIdle()).openPinging(url, ears),
  },
  {
    name: 'the same, with 9 XState actors',
    service: 'raw',
    open: async (url, ears) => (await bareIdle()).openWithActors(url, ears),
  },
];

/** Everybody beside raw, ours first. */
export const CANDIDATES: readonly Candidate[] = [
  HOLDFAST,
  HOLDFAST_PLAIN,
  {
    name: 'holdfast.v1, compressed',
    service: 'holdfast-deflate',
    tuned: 'compression: true',
    open: async (url, ears) => (await holdfast()).openHoldfast(url, ears, { use: 'required', compression: true }),
  },
  {
    name: 'ws, permessage-deflate',
    service: 'raw-deflate',
    share: 0.05,
    open: async (url, ears) => (await sockets()).openWs(url, ears, true),
  },
  {
    name: 'WebSocket of the platform (undici)',
    service: 'raw',
    open: async (url, ears) => (await sockets()).openUndici(url, ears),
  },
  {
    name: 'reconnecting-websocket',
    service: 'raw',
    open: async (url, ears) => (await sockets()).openReconnecting(url, ears),
  },
  { name: 'partysocket', service: 'raw', open: async (url, ears) => (await sockets()).openParty(url, ears) },
  { name: 'websocket-ts', service: 'raw', open: async (url, ears) => (await sockets()).openWebsocketTs(url, ears) },
  {
    name: 'socket.io',
    service: 'socket.io',
    open: async (url, ears) => (await socketIoClient()).openSocketIo(url, ears),
  },
  {
    name: 'socket.io, tuned',
    service: 'socket.io',
    tuned: "transports: ['websocket']",
    open: async (url, ears) => (await socketIoClient()).openSocketIo(url, ears, { transports: ['websocket'] }),
  },
  {
    name: 'graphql-ws',
    service: 'graphql-ws',
    lacks: ['uplink', 'bytes'],
    share: 0.3,
    open: async (url, ears) => (await graphqlWs()).openGraphqlWs(url, ears),
  },
  {
    name: 'MQTT, QoS 0',
    service: 'mqtt',
    share: 0.2,
    open: async (url, ears) => (await mqtt()).openMqtt(url, ears, { qos: 0 }),
  },
  {
    name: 'MQTT, QoS 1',
    service: 'mqtt',
    share: 0.1,
    open: async (url, ears) => (await mqtt()).openMqtt(url, ears, { qos: 1 }),
  },
];

// how long each waits before it connects again, where that can be set
const SOON_MS = 10;
const SOON = { minReconnectionDelay: SOON_MS, maxReconnectionDelay: 5 * SOON_MS };

// what its documentation has in its example
const SOCKET_IO_ACK_MS = 10_000;

/** Those who connect again, by themselves or if they are told to. */
export const RECONNECTING: readonly Candidate[] = [
  HOLDFAST,
  {
    name: 'holdfast.v1, at once',
    service: 'holdfast',
    tuned: 'retry.promptMs',
    open: async (url, ears) =>
      (await holdfast()).openHoldfast(url, ears, { use: 'required' }, { promptMs: SOON_MS, baseMs: SOON_MS }),
  },
  HOLDFAST_PLAIN,
  ...CANDIDATES.filter(({ name }) => ['reconnecting-websocket', 'partysocket'].includes(name)),
  {
    name: 'reconnecting-websocket, tuned',
    service: 'raw',
    tuned: 'delays',
    open: async (url, ears) => (await sockets()).openReconnecting(url, ears, SOON),
  },
  {
    name: 'partysocket, tuned',
    service: 'raw',
    tuned: 'delays',
    open: async (url, ears) => (await sockets()).openParty(url, ears, SOON),
  },
  {
    name: 'websocket-ts, tuned',
    service: 'raw',
    tuned: 'backoff and buffer',
    open: async (url, ears) => (await sockets()).openWebsocketTs(url, ears, SOON_MS),
  },
  ...CANDIDATES.filter(({ name }) => ['socket.io', 'MQTT, QoS 0', 'MQTT, QoS 1'].includes(name)),
  {
    name: 'socket.io, at once',
    service: 'socket.io',
    tuned: 'transports, delays',
    open: async (url, ears) =>
      (await socketIoClient()).openSocketIo(url, ears, {
        transports: ['websocket'],
        reconnectionDelay: SOON_MS,
        reconnectionDelayMax: 5 * SOON_MS,
      }),
  },
  {
    name: 'socket.io, acknowledged',
    service: 'socket.io',
    tuned: 'retries, ackTimeout',
    open: async (url, ears) =>
      (await socketIoClient()).openSocketIo(url, ears, { retries: 100, ackTimeout: SOCKET_IO_ACK_MS }),
  },
  {
    name: 'MQTT, QoS 1, at once',
    service: 'mqtt',
    tuned: 'reconnectPeriod',
    open: async (url, ears) => (await mqtt()).openMqtt(url, ears, { qos: 1, reconnectPeriod: SOON_MS }),
  },
];

/** Of whatever list. */
export function candidateNamed(name: string): Candidate {
  const all = [RAW, BARE_BATCHES, ...BARE_IDLE, ...CANDIDATES, ...RECONNECTING];
  const found = all.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`Nobody here is called ${name}.`);
  return found;
}
