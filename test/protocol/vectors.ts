import { readFileSync } from 'node:fs';

import type { InboundData } from '../../src/errors.ts';
import type { Side } from '../../src/protocol/frames.ts';

/** One frame as it travels: as text, or as bytes in hex. */
interface Vector {
  name: string;
  from: Side;
  text?: string;
  hex?: string;
  /** Frames that came before it on the socket, in hex. @default none */
  after?: string[];
}

/** A frame and what it means; bytes in there are in hex. */
export interface FrameVector extends Vector {
  means: { t: string };
}

/** A frame that breaks the protocol, and the close code that answers it. */
export interface ViolationVector extends Vector {
  close: number;
}

export const FRAME_VECTORS = read<FrameVector>('frames');
export const VIOLATION_VECTORS = read<ViolationVector>('violations');

/** What both sides of these vectors have agreed to take. */
export const VECTOR_LIMITS = { frame: 262_144, inflated: 1_048_576 };

export function dataOf({ text, hex = '' }: Pick<Vector, 'text' | 'hex'>): InboundData {
  return text ?? new Uint8Array(Buffer.from(hex, 'hex')).buffer;
}

/** A frame with its bytes in hex, as the vectors write them. */
export function inHex(frame: unknown): unknown {
  if (frame instanceof Uint8Array) return Buffer.from(frame).toString('hex');
  if (Array.isArray(frame)) return frame.map(inHex);
  if (typeof frame !== 'object' || frame === null) return frame;
  return Object.fromEntries(Object.entries(frame).map(([key, value]) => [key, inHex(value)]));
}

function read<Of>(name: string): Of[] {
  return JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), 'utf8')) as Of[];
}
