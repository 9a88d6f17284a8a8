import { KIND } from './binary-frames.ts';
import type { Compression, Deflater, MakeCompression } from './compression.ts';
import { ByteReader, varintBytes, writeVarint } from './varint.ts';
import { ProtocolViolation, tooBig } from './violation.ts';

/** Below this many bytes nothing is gained by compressing a frame by itself; and with a window. */
const COMPRESSION_THRESHOLD = 1_024;
const WINDOW_THRESHOLD = 32;
// what is longer fills a window of 32 KiB by itself, and gains nothing by it
const WINDOW_MOST = 65_536;
// how a frame was compressed, as it says itself
const CODEC = { alone: 1, window: 2 } as const;

/** Loads what compresses: nobody does who does not want it. */
export async function loadCompression(): Promise<MakeCompression> {
  const { pakoDeflater, pakoWindow } = await import('./deflater.ts');
  return ({ hasWindow }) => compressionWith(pakoDeflater, hasWindow ? pakoWindow() : null);
}

/** What makes and reads compressed frames. `window` has all in mind that it was given before, in each direction; `null` where it was not agreed on. */
export function compressionWith(alone: Deflater, window: Deflater | null): Compression {
  let outward = window;
  return {
    get threshold() {
      return outward ? WINDOW_THRESHOLD : COMPRESSION_THRESHOLD;
    },
    compress(frame) {
      // once it is in the window it has to travel so, for what follows is read by it
      if (outward && frame.length <= WINDOW_MOST) return wrapped(CODEC.window, frame.length, outward.deflate(frame));
      const small = wrapped(CODEC.alone, frame.length, alone.deflate(frame));
      return small.length < frame.length ? small : null;
    },
    abandon() {
      outward = null;
    },
    inflate(frame, maxInflated) {
      const reader = new ByteReader(frame);
      reader.byte();
      const codec = reader.byte();
      const deflater = codec === CODEC.alone ? alone : codec === CODEC.window && window;
      if (!deflater) throw new ProtocolViolation('a frame is compressed in a way that was not agreed on');
      const length = reader.varint();
      if (length > maxInflated) throw tooBig('an inflated frame', length, maxInflated);
      try {
        return deflater.inflate(reader.take(reader.remaining), length);
      } catch {
        throw new ProtocolViolation('a compressed frame is not what it says');
      }
    },
  };
}

function wrapped(codec: number, length: number, data: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const headBytes = 2 + varintBytes(length);
  const frame = new Uint8Array(headBytes + data.length);
  frame[0] = KIND.compressed;
  frame[1] = codec;
  frame.set(data, writeVarint(length, frame, 2));
  return frame;
}
