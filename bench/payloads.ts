import { drawFrom } from '../src/core/chance.ts';

/** A stream of messages, the same ones in every run and in every process. */
export interface Payloads {
  name: string;
  form: 'json' | 'bytes';
  /** The message with a number, from 0: a value that JSON can hold, or bytes. */
  message(n: number): object;
  /** The number of a message that arrived; `undefined` when it is none of these. */
  numberOf(message: unknown): number | undefined;
}

const SEED = 20_260_101;
const TEXT_CHARACTERS = 112;
const AUTHORS = [
  'amara',
  'bence',
  'chidi',
  'daria',
  'elif',
  'farid',
  'greta',
  'hiro',
  'ines',
  'jonas',
  'keiko',
  'lars',
];
const ROOMS = ['general', 'releases', 'on-call', 'design', 'support', 'random'];
const COMMANDS = ['ls -la', 'git log', 'cd src', 'npm test', 'top', 'vim a.ts', 'clear', 'pwd', 'make -j8', 'cat x.md'];
const ascii = new TextDecoder();
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const WORDS =
  `the a to and of in is that it for on with as at this but we you they can not have will would could should maybe
  about after again against already always another answer around because before behind better between both branch bring build
  button call change check clean clear close coffee come connection customer database deploy different document done early
  enough error even every example fail far feature feel file find first fix friday from full give good great happen hard help
  here hour idea inside issue just keep know large last late later leave less letter line list little load local log long look
  machine make many market meeting memory message minute monday month more morning most move much must name near need network
  never new next night note nothing number office often old once only open order other over page part people perhaps place plan
  point possible problem production project question quick quite rather read ready really reason release remember report request
  restart result review right room same say screen second see send server set share short show side since slow small some soon
  start still stop strange sure table take talk team tell test than thanks their then there thing think through time today
  together tomorrow tonight too try turn under until update use version very wait want week well what when where which while
  who why without wonder word work write wrong year yesterday yet`.split(/\s+/);

/** Messages of a chat: about 212 bytes of JSON, most of it text that nobody wrote twice. */
export const chat: Payloads = {
  name: 'chat',
  form: 'json',
  message(n) {
    const draw = drawsFor(n);
    return {
      type: 'message',
      id: `m-${String(n).padStart(8, '0')}`,
      room: pick(ROOMS, draw),
      author: pick(AUTHORS, draw),
      text: textOf(draw),
      at: 1_790_000_000_000 + n * 1_700 + Math.floor(draw() * 1_700),
    };
  },
  numberOf: (message) =>
    typeof message === 'object' && message && 'id' in message ? Number(String(message.id).slice(2)) : undefined,
};

/** The keystrokes of a terminal that never types anything else: about 42 bytes. This repetition flatters whatever compresses. */
export const terminal: Payloads = {
  name: 'terminal',
  form: 'json',
  message: (n) => ({ type: 'input', data: 'ls -la', n }),
  numberOf: fieldN,
};

/** The same of a terminal that is used. */
export const variedTerminal: Payloads = {
  name: 'varied terminal',
  form: 'json',
  message: (n) => ({ type: 'input', data: pick(COMMANDS, drawsFor(n)), n }),
  numberOf: fieldN,
};

/** JSON of 256 bytes: records of names and numbers. */
export const records = recordsOf('256 B JSON', 256);
export const largeRecords = recordsOf('4 kB JSON', 4_096);
/** 64 bytes: a number, then noise. */
export const bytes = bytesOf('64 B binary', 64);
export const manyBytes = bytesOf('4 kB binary', 4_096);

/** As short as a message with a number can be: about 13 bytes. */
export const tiny: Payloads = { name: '16 B JSON', form: 'json', message: (n) => ({ n }), numberOf: fieldN };

/** Messages of a stream, those up to a number but not that one. */
export function messagesOf(payloads: Payloads, from: number, to: number): object[] {
  return Array.from({ length: to - from }, (_, index) => payloads.message(from + index));
}

export const STREAMS: readonly Payloads[] = [
  chat,
  terminal,
  variedTerminal,
  tiny,
  records,
  largeRecords,
  bytes,
  manyBytes,
];

/** Follows a stream at its receiver: every message once, in order, and as it was sent. */
export class Roll {
  readonly #payloads: Payloads;
  readonly #lanes: number;
  // of each lane, the number that comes next
  readonly #next: number[];
  // the number that comes no more, and how many before it are still to come
  #end: number;
  #left = 0;
  #isExact = false;
  #faults = 0;

  /** `first`: the number that the first message has. `lanes`: over how many connections they are dealt out in turn; each keeps its own order. */
  constructor(payloads: Payloads, first: number, lanes = 1) {
    this.#payloads = payloads;
    this.#lanes = lanes;
    this.#end = first;
    this.#next = [];
    for (let n = first; n < first + lanes; n++) this.#next[n % lanes] = n;
  }

  /** Messages that are lost, came twice, out of order or with other contents. */
  get faults(): number {
    return this.#faults + Math.max(0, this.#left);
  }

  /** The messages up to a number are to come, that one not included. `isExact`: their contents are compared as well. */
  expect(end: number, { isExact }: { isExact: boolean }): void {
    this.#left += end - this.#end;
    this.#end = end;
    this.#isExact = isExact;
  }

  /** A message came. @returns Whether it was the last of those expected. */
  take(message: unknown): boolean {
    const n = this.#payloads.numberOf(message);
    const lane = (n ?? 0) % this.#lanes;
    const next = this.#next[lane] ?? 0;
    if (n === undefined || n !== next || n >= this.#end) this.#faults += 1;
    else if (this.#isExact && !isSame(message, this.#payloads.message(n))) this.#faults += 1;
    if (n !== undefined && n >= next) {
      const passed = (n - next) / this.#lanes;
      // a gap is one fault for each message in it
      this.#faults += Math.max(0, passed - 1);
      this.#left -= passed + 1;
      this.#next[lane] = n + this.#lanes;
    }
    return this.#left === 0;
  }
}

function recordsOf(name: string, size: number): Payloads {
  return {
    name,
    form: 'json',
    message(n) {
      const draw = drawsFor(n);
      const fields = Array.from({ length: 8 }, (_, index) => [`f${index}`, Math.floor(draw() * 1e6)]);
      const named = { type: 'record', n, ...(Object.fromEntries(fields) as object), who: pick(AUTHORS, draw) };
      const missing = size - JSON.stringify({ ...named, fill: '' }).length;
      const letters = noise(missing, n).map((byte) => LETTERS.charCodeAt(byte % LETTERS.length));
      return { ...named, fill: ascii.decode(letters) };
    },
    numberOf: fieldN,
  };
}

function bytesOf(name: string, size: number): Payloads {
  return {
    name,
    form: 'bytes',
    message(n) {
      const message = noise(size, n);
      new DataView(message.buffer).setUint32(0, n);
      return message;
    },
    numberOf(message) {
      const view = viewOf(message);
      return view?.byteLength === size ? view.getUint32(0) : undefined;
    },
  };
}

function textOf(draw: () => number): string {
  let text = '';
  while (text.length < TEXT_CHARACTERS) text += `${text === '' ? '' : ' '}${pick(WORDS, draw)}`;
  return `${text.slice(0, TEXT_CHARACTERS).trimEnd()}.`;
}

function fieldN(message: unknown): number | undefined {
  return typeof message === 'object' && message && 'n' in message && typeof message.n === 'number'
    ? message.n
    : undefined;
}

function isSame(message: unknown, sent: object): boolean {
  const view = viewOf(message);
  if (!view) return JSON.stringify(message) === JSON.stringify(sent);
  return sent instanceof Uint8Array && Buffer.from(view.buffer, view.byteOffset, view.byteLength).equals(sent);
}

function viewOf(message: unknown): DataView | undefined {
  if (message instanceof ArrayBuffer) return new DataView(message);
  return ArrayBuffer.isView(message) ? new DataView(message.buffer, message.byteOffset, message.byteLength) : undefined;
}

// a message is a function of its number alone, so that either end can make it
function drawsFor(n: number): () => number {
  let seed = Math.imul(n + 1, 0x9e3779b1) ^ SEED;
  return () => {
    const drawn = drawFrom(seed);
    seed = drawn.seed;
    return drawn.draw;
  };
}

// bytes that nothing makes smaller, in a tenth of the time that a draw for each would take.
// Source: George Marsaglia, "Xorshift RNGs", 2003
function noise(size: number, n: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(size / 4));
  // its state is never 0
  let word = (Math.imul(n + 1, 0x9e3779b1) ^ SEED) | 1;
  for (let index = 0; index < words.length; index++) {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    words[index] = word;
  }
  return new Uint8Array(words.buffer, 0, size);
}

function pick<Item>(items: ArrayLike<Item>, draw: () => number): Item {
  return items[Math.floor(draw() * items.length)] as Item;
}
