import type { FrameFrom, Side } from '../../src/protocol/frames.ts';
import { readFrame } from '../../src/protocol/wire.ts';
import type { Data } from '../../src/testing/parcel.ts';

const LIMITS = { frame: 1_048_576, inflated: 4_194_304 };

/** Reads a frame as the other side does; `null` for one that breaks the protocol. */
export function read<From extends Side>(data: Data, from: From): FrameFrom<From> | null {
  try {
    const inbound = typeof data === 'string' ? data : data.slice().buffer;
    return readFrame(inbound, { from, limits: LIMITS, compression: null });
  } catch {
    return null;
  }
}
