import type { Candidate } from '../peers/ends.ts';

// a page runs only what it needs, and the process that starts it nothing of it
const likes = () => import('../peers/likes.ts');
const wrapped = () => import('./wrapped.ts');
const holdfast = () => import('../peers/holdfast-client.ts');
const socketIo = () => import('../peers/socket-io-client.ts');

/** What everything is held against: the WebSocket that the browser has. */
export const RAW: Candidate = {
  name: 'WebSocket of the browser',
  service: 'raw',
  open: async (url, ears) => (await likes()).openLike(new WebSocket(url), ears),
};

/** Everybody beside raw, ours first. */
export const CANDIDATES: readonly Candidate[] = [
  {
    name: 'holdfast.v1',
    service: 'holdfast',
    open: async (url, ears) => (await holdfast()).openService(url, ears, { wire: { use: 'required' } }),
  },
  {
    name: 'holdfast, plain wire',
    service: 'raw',
    open: async (url, ears) => (await holdfast()).openService(url, ears, { wire: 'plain' }),
  },
  {
    name: 'reconnecting-websocket',
    service: 'raw',
    open: async (url, ears) => (await wrapped()).openReconnecting(url, ears),
  },
  { name: 'partysocket', service: 'raw', open: async (url, ears) => (await wrapped()).openParty(url, ears) },
  {
    name: 'socket.io, tuned',
    service: 'socket.io',
    tuned: "transports: ['websocket']",
    open: async (url, ears) => (await socketIo()).openSocketIo(url, ears, { transports: ['websocket'] }),
  },
];
