import {
  deflateRaw,
  Z_DEFAULT_STRATEGY,
  Z_FINISH,
  Z_STREAM_END,
  Z_SYNC_FLUSH,
  zlibDeflate,
  zlibDeflateInit2,
  zlibInflate,
  zlibInflateInit2,
  ZStream,
} from 'pako';

import type { Deflater } from './compression.ts';

// on frames of this size the higher levels take three times the time for a few per cent
const LEVEL = 1;
// negative: raw, without a header. Source: zlib manual, inflateInit2
const RAW_WINDOW_BITS = -15;

// zlib's own default. Source: zlib manual, deflateInit2
const MEMORY_LEVEL = 8;
const DEFLATED = 8;
// what ends each flush, and so need not travel. Source: RFC 7692, section 7.2.1
const TAIL = new Uint8Array([0, 0, 0xff, 0xff]);
// for what does not get smaller: a head for each block, and the end of the flush
const SPARE_BYTES = 1_024;
// where a flush leaves the reader: before the next block, with no bit left, and not at the end. Source: zlib manual, inflate, data_type
const BETWEEN_BLOCKS = 128;
const NOTHING = new Uint8Array(0);
const BROKEN = 'broken data, or another length than was said';

/** The deflater of every platform. Its module is the one place that reaches pako. */
export const pakoDeflater: Deflater = {
  deflate: (bytes) => deflateRaw(bytes, { level: LEVEL }),
  inflate(bytes, length) {
    const stream = inflating();
    takeIn(stream, bytes);
    // the output is all the memory that is spent: what does not fit into it is an error
    const output = makeRoom(stream, length);
    const status = zlibInflate(stream, Z_FINISH);
    const isExact = status === Z_STREAM_END && stream.avail_out === 0 && stream.avail_in === 0;
    if (!isExact) throw new RangeError(BROKEN);
    return output;
  },
};

/**
 * One with a window for each direction of one socket: a frame is read only after all that were made before it. What takes memory, some 256 kB
 * to compress and 40 kB to inflate (source: zconf.h of zlib), is made when a direction is first used.
 */
export function pakoWindow(): Deflater {
  let outward: ZStream | undefined;
  let inward: ZStream | undefined;
  return {
    deflate(bytes) {
      const stream = (outward ??= deflating());
      takeIn(stream, bytes);
      const output = makeRoom(stream, bytes.length + SPARE_BYTES);
      zlibDeflate(stream, Z_SYNC_FLUSH);
      letGo(stream);
      return output.subarray(0, stream.next_out - TAIL.length);
    },
    inflate(bytes, length) {
      const stream = (inward ??= inflating());
      // the output is all the memory that is spent: what does not fit into it is an error
      const output = makeRoom(stream, length);
      const isRead = [bytes, TAIL].every((input) => {
        takeIn(stream, input);
        zlibInflate(stream, Z_SYNC_FLUSH);
        return stream.avail_in === 0;
      });
      letGo(stream);
      if (!isRead || stream.avail_out > 0 || stream.data_type !== BETWEEN_BLOCKS) throw new RangeError(BROKEN);
      return output;
    },
  };
}

function deflating(): ZStream {
  const stream = new ZStream();
  zlibDeflateInit2(stream, LEVEL, DEFLATED, RAW_WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
  return stream;
}

function inflating(): ZStream {
  const stream = new ZStream();
  zlibInflateInit2(stream, RAW_WINDOW_BITS);
  return stream;
}

function takeIn(stream: ZStream, input: Uint8Array<ArrayBuffer>): void {
  stream.input = input;
  stream.next_in = 0;
  stream.avail_in = input.length;
}

// a window lives as long as its socket, and is all that is kept
function letGo(stream: ZStream): void {
  stream.input = stream.output = NOTHING;
}

function makeRoom(stream: ZStream, length: number): Uint8Array<ArrayBuffer> {
  const output = new Uint8Array(length);
  stream.output = output;
  stream.next_out = 0;
  stream.avail_out = length;
  return output;
}
