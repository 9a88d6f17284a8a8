import { MessageError } from '../errors.ts';
import { encodeBytes, encodeJson } from '../protocol/codec.ts';
import { checkOf } from '../protocol/fields.ts';
import { MESSAGE_META, type WireMeta } from '../protocol/frames.ts';
import { weighed, type WeighedMessage } from '../protocol/framing.ts';
import { ownMemory, type Memory } from '../protocol/slab.ts';
import type { MessageOptions } from './message.ts';

const checkMeta = checkOf(MESSAGE_META);

/**
 * A message in the form that it is kept and travels in. `memory`: where a copy of bytes goes. @default memory of its own
 *
 * @throws {MessageError} `NOT_ENCODABLE` when JSON cannot hold the value, or when what is to travel with it is longer than the protocol
 *   allows.
 */
export function outbound(
  data: unknown,
  options: MessageOptions = {},
  { ids, memory = ownMemory }: { ids?: Pick<WireMeta, 'r' | 're'> | undefined; memory?: Memory } = {},
): WeighedMessage {
  const isBytes = data instanceof ArrayBuffer || ArrayBuffer.isView(data);
  const encoded = isBytes ? encodeBytes(data, memory) : encodeJson(data);
  const meta = metaOf(options, ids);
  return weighed({ data: encoded.data, meta }, encoded.bytes);
}

function metaOf(
  { type, headers, key, channel }: MessageOptions,
  ids: Pick<WireMeta, 'r' | 're'> | undefined,
): WireMeta | undefined {
  // most have nothing with them, and are not to pay for the others
  const isBare = key === undefined && type === undefined && headers === undefined && channel === undefined;
  if (isBare && ids === undefined) return undefined;
  const meta: WireMeta = { ...ids };
  if (key !== undefined) meta.k = key;
  if (type !== undefined) meta.n = type;
  if (headers !== undefined) meta.h = headers;
  if (channel !== undefined) meta.c = channel;
  try {
    return checkMeta(meta, 'message');
  } catch (cause) {
    throw new MessageError('NOT_ENCODABLE', { message: (cause as Error).message, cause });
  }
}
