import type { Fields, Flat, Shaped } from './fields.ts';

/** The version of the protocol that these frames are. Changing any of them changes the version: a test holds their hash to it. */
export const VERSION = 1;
/** The subprotocol that is offered and selected. Source: RFC 6455, section 1.9. */
export const SUBPROTOCOL = 'holdfast.v1';

/** How much may be on its way and unacknowledged: messages, and bytes of them as they stand in their frames. */
const WINDOW = { m: 'count', b: 'count' } as const satisfies Fields;
/** What a side takes: bytes of a frame, bytes of one that is compressed once it is not, and its window. */
const LIMITS = { frame: 'count', inflated: 'count', win: WINDOW } as const satisfies Fields;
/** How often to ping, and how long to wait for the answer, in ms. */
const PING = { iv: 'count', to: 'count' } as const satisfies Fields;

/** What a message may carry beside its payload. */
const META = {
  /** Idempotency key. */
  'k?': 'name',
  /** Name of its type. */
  'n?': 'name',
  'h?': 'headers',
  /** It is a request with this id. */
  'r?': 'name',
  /** It is the reply to the request with this id. */
  're?': 'name',
  /** Not to be delivered later than this, in ms since 1970 by the sender's clock. */
  'x?': 'count',
  /** Its channel; absent for the first. */
  'c?': 'name',
} as const satisfies Fields;
export const MESSAGE_META: Fields = META;

const MESSAGE = { d: 'json', ...META } as const satisfies Fields;

const either = {
  m: { s: 'seq', b: [MESSAGE], 'a?': 'count' },
  v: { b: [MESSAGE] },
  ack: { a: 'count', 'w?': WINDOW },
  nack: { 's?': 'seq', 'e?': 'seq', 'k?': 'names', c: 'name', m: 'text', temp: 'flag', 'ra?': 'count', out: 'name' },
  ping: { i: 'count', ts: 'time', 'a?': 'count' },
  pong: { i: 'count', ts: 'time', now: 'time', 'a?': 'count' },
  flow: { w: WINDOW, 'c?': 'name' },
  shut: { c: 'name', 'why?': 'text' },
  err: { c: 'name', m: 'text', temp: 'flag', 'ra?': 'count', 'ref?': 'name', 'fatal?': 'flag' },
  bye: { 'why?': 'text', keep: 'flag' },
} as const satisfies Record<string, Fields>;

/** What each side may send, by the frame's type `t`. */
export const FRAMES = {
  server: {
    srv: { v: 'versions', node: 'name', caps: 'names', lim: LIMITS, ping: PING, now: 'time' },
    welcome: {
      sid: 'name',
      tok: 'secret',
      ep: 'name',
      gen: 'seq',
      resumed: 'flag',
      'why?': 'name',
      rx: 'count',
      top: 'count',
      ttl: 'count',
      'exp?': 'count',
      caps: 'names',
      lim: LIMITS,
      ping: PING,
      now: 'time',
    },
    auth: { 'ok?': 'flag', 'exp?': 'count', 'need?': 'flag', 'in?': 'count' },
    away: { in: 'count', spread: 'count', 'url?': 'text', 'why?': 'text' },
    ...either,
  },
  client: {
    hello: {
      v: 'seq',
      nonce: 'name',
      'auth?': 'secret',
      caps: 'names',
      lim: LIMITS,
      'meta?': 'headers',
      'resume?': { sid: 'name', tok: 'secret', ep: 'name', rx: 'count', lo: 'seq', hi: 'count' },
    },
    auth: { tok: 'secret' },
    open: { c: 'name', n: 'name', 'auth?': 'secret' },
    ...either,
  },
} as const satisfies Record<string, Record<string, Fields>>;

/** The end of a connection that speaks. */
export type Side = keyof typeof FRAMES;

/** What travels with a message, and its payload. */
export type WireMessage = Shaped<typeof MESSAGE>;
export type WireMeta = Shaped<typeof META>;
export type Limits = Shaped<typeof LIMITS>;

type FramesOf<Table extends Record<string, Fields>> = {
  [Type in keyof Table & string]: Flat<{ t: Type } & Shaped<Table[Type]>>;
}[keyof Table & string];

/** Messages without anything beside their payloads, in the short form of `m`. */
export interface PlainBatch {
  t: 'batch';
  /** Position of the first. */
  s: number;
  d: unknown[];
  a?: number;
}

/** Messages whose payloads are bytes. Position 0: they are volatile, and have none. */
export interface BinaryBatch {
  t: 'bytes';
  s: number;
  b: { d: Uint8Array<ArrayBuffer>; meta: WireMeta }[];
  a: number;
}

/** A frame of no known type that says that it may be ignored. */
export interface UnknownFrame {
  t: 'unknown';
}

/** What a server sends. */
export type ServerFrame = FramesOf<typeof FRAMES.server>;
/** What a client sends. */
export type ClientFrame = FramesOf<typeof FRAMES.client>;
/** What a side may receive from the other. */
export type FrameFrom<From extends Side> =
  (From extends 'server' ? ServerFrame : ClientFrame) | PlainBatch | BinaryBatch | UnknownFrame;
