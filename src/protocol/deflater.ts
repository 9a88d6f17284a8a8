import { deflateRaw, Z_FINISH, Z_STREAM_END, zlibInflate, zlibInflateInit2, ZStream } from 'pako';

import type { Deflater } from './compression.ts';

// on frames of this size the higher levels take three times the time for a few per cent
const LEVEL = 1;
// negative: raw, without a header. Source: zlib manual, inflateInit2
const RAW_WINDOW_BITS = -15;

/** The deflater of every platform. Its module is the one place that reaches pako, so that nobody loads it who does not compress. */
export const pakoDeflater: Deflater = {
  deflate: (bytes) => deflateRaw(bytes, { level: LEVEL }),
  inflate(bytes, length) {
    // the output is all the memory that is spent: what does not fit into it is an error
    const stream = new ZStream();
    stream.input = bytes;
    stream.avail_in = bytes.length;
    stream.output = new Uint8Array(length);
    stream.avail_out = length;
    zlibInflateInit2(stream, RAW_WINDOW_BITS);
    const status = zlibInflate(stream, Z_FINISH);
    const isExact = status === Z_STREAM_END && stream.avail_out === 0 && stream.avail_in === 0;
    if (!isExact) throw new RangeError('broken data, or another length than was said');
    return stream.output;
  },
};
