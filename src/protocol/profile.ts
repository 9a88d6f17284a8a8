import { InboundError, MessageError, type InboundData } from '../errors.ts';
import { encodeBytes, encodeJson, encodePlain, encodeText, type EncodedMessage } from './codec.ts';
import type { Memory } from './slab.ts';
import type { RecoveryRule } from './recovery-rule.ts';
import { validated, type StandardSchema } from './schema.ts';

/** A wire form of the application's own. What either throws is told as `NOT_ENCODABLE` or `NOT_DECODABLE`, and stops nothing. */
export interface Codec {
  encode(message: never): string | ArrayBuffer | ArrayBufferView;
  decode(data: InboundData): unknown;
}

/** What a profile is told of the link that has just opened. */
export interface OpenContext {
  connectionId: string;
  terminalId: string | undefined;
  sessionId: string | undefined;
  /** What `connect` was given as `params`. */
  params: Readonly<Record<string, string>>;
  /** Which socket of this connection it is, from 1: after the first the peer may have forgotten what it was told. */
  generation: number;
}

/** How a reply is told from other messages, and which request it answers. */
export type ReplyMatcher<In, Out> =
  /** The peer echoes an id. */
  | {
      /** The request with the id in it. */
      tag(message: Out, id: string): Out;
      /** The id that a message echoes; `undefined` for one that is no reply. */
      idOf(message: In): string | undefined;
    }
  /** The peer echoes none: the longest waiting request that a message answers gets it. */
  | { answers(message: In, request: Out): boolean };

/** How one service speaks on a plain wire. `In` is what subscribers get, `Out` what may be sent. */
export interface Profile<In = unknown, Out = unknown> {
  /**
   * `text`: strings, untouched. `bytes`: an `ArrayBuffer` in, buffers and views out. `json`: every message is JSON text.
   * `plain`: out, text and bytes go untouched and everything else as JSON; in, everything arrives as it came. Or the
   * application's own.
   */
  codec: 'text' | 'bytes' | 'json' | 'plain' | Codec;
  /** Inbound messages are held to this after decoding, and arrive as it gives them. It must answer at once. @default none */
  inbound?: StandardSchema<In>;
  /** Outbound messages are held to this before encoding, and leave as it gives them. It must answer at once. @default none */
  outbound?: StandardSchema<Out>;
  /** The probe of the link, in place of a protocol ping. @default none */
  ping?(): Out;
  /** Picks the messages that are answers to `ping`: they count as a sign of life, and no subscriber sees them. @default none */
  isPong?(message: In): boolean;
  /** What `request` needs. @default none: `request` is refused with `NO_CORRELATION` */
  replies?: ReplyMatcher<In, Out>;
  /**
   * Whether the peer takes any message twice without harm: then every message is treated as if it had an idempotency key.
   * @default false
   */
  resendSafe?: boolean;
  /** What the failures of such a server lead to, its own close codes above all. The service's own rules are asked first. @default none */
  recovery?: readonly RecoveryRule[];
  /**
   * The messages that leave after each opening, before any that waits: subscriptions, a terminal's size, a hello. When it
   * throws or rejects the attempt has failed, and another follows.
   */
  onOpen?(context: OpenContext): Iterable<Out> | Promise<Iterable<Out>>;
}

/** Gives a profile its types, by its schemas or by name. */
export function defineProfile<In = unknown, Out = unknown>(profile: Profile<In, Out>): Profile<In, Out> {
  return profile;
}

/** What a service speaks that names no profile: see `plain` at {@link Profile.codec}. */
export const plainProfile: Profile<InboundData> = { codec: 'plain' };
/** Strings in both directions, untouched. */
export const textProfile: Profile<string, string> = { codec: 'text' };
/** Bytes in both directions, untouched. */
export const bytesProfile: Profile<ArrayBuffer, ArrayBuffer | ArrayBufferView> = { codec: 'bytes' };
/** JSON text in both directions. */
export const jsonProfile: Profile = { codec: 'json' };

/**
 * A message in the form it travels in. `memory`: where a copy of bytes goes. @default such as small copies share
 *
 * @throws {MessageError} `NOT_ENCODABLE`, `SCHEMA_MISMATCH`
 */
export function encodeWith(
  { codec, outbound }: Pick<Profile, 'codec' | 'outbound'>,
  message: unknown,
  memory?: Memory,
): EncodedMessage {
  let value = message;
  if (outbound) {
    const result = attempt(
      () => validated(outbound, message),
      (cause) => new MessageError('SCHEMA_MISMATCH', { cause }),
    );
    if (!result.ok) throw new MessageError('SCHEMA_MISMATCH', { message: mismatchText(result.problem) });
    value = result.value;
  }
  // without a closure, for it is asked for each message
  try {
    return encode(codec, value, memory);
  } catch (cause) {
    throw cause instanceof MessageError ? cause : new MessageError('NOT_ENCODABLE', { cause });
  }
}

/** A payload that its wire has parsed already, as `holdfast.v1` does: any JSON value. */
export class JsonPayload {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }

  /** As it would have arrived on a plain wire: a text as it is, any other value as its JSON. */
  get text(): string {
    return typeof this.value === 'string' ? this.value : JSON.stringify(this.value);
  }
}

/** What a wire hands over as one message. */
export type Payload = InboundData | JsonPayload;

/** @throws {InboundError} `NOT_DECODABLE`, `SCHEMA_MISMATCH` */
export function decodeWith<In>({ codec, inbound }: Pick<Profile<In>, 'codec' | 'inbound'>, payload: Payload): In {
  let value: unknown;
  try {
    value = decode(codec, payload);
  } catch (cause) {
    const details = cause instanceof WrongKind ? { message: cause.message } : { cause };
    throw new InboundError('NOT_DECODABLE', arrived(payload), details);
  }
  if (!inbound) return value as In;
  const result = attempt(
    () => validated(inbound, value),
    (cause) => new InboundError('SCHEMA_MISMATCH', arrived(payload), { cause }),
  );
  if (result.ok) return result.value;
  throw new InboundError('SCHEMA_MISMATCH', arrived(payload), { message: mismatchText(result.problem) });
}

function arrived(payload: Payload): InboundData {
  return payload instanceof JsonPayload ? payload.text : payload;
}

// a frame of the kind that the codec does not read
class WrongKind extends Error {}

function encode(codec: Profile['codec'], value: unknown, memory?: Memory): EncodedMessage {
  if (codec === 'plain') return encodePlain(value, memory);
  if (codec === 'json') return encodeJson(value);
  const data: unknown = typeof codec === 'object' ? codec.encode(value as never) : value;
  if (typeof data === 'string' && codec !== 'bytes') return encodeText(data);
  if (codec !== 'text' && (data instanceof ArrayBuffer || ArrayBuffer.isView(data))) return encodeBytes(data, memory);
  const name = typeof codec === 'object' ? 'codec of the profile gave' : `${codec} codec was given`;
  throw new MessageError('NOT_ENCODABLE', { message: `The ${name} a value of type ${typeof data}.` });
}

function decode(codec: Profile['codec'], payload: Payload): unknown {
  // parsed once, by the wire
  if (codec === 'json' && payload instanceof JsonPayload) return payload.value;
  const data = arrived(payload);
  if (typeof codec === 'object') return codec.decode(data);
  const isText = typeof data === 'string';
  if (codec === 'bytes' && isText) throw new WrongKind('Text came where the profile says bytes.');
  if ((codec === 'text' || codec === 'json') && !isText) throw new WrongKind('Bytes came where the profile says text.');
  // only a profile that says JSON has anything parsed: a terminal may well print `null`
  return codec === 'json' && isText ? JSON.parse(data) : data;
}

function mismatchText(problem: string): string {
  return `The message does not fit the schema of its service: ${problem}.`;
}

function attempt<Value>(work: () => Value, failed: (cause: unknown) => Error): Value {
  try {
    return work();
  } catch (cause) {
    throw failed(cause);
  }
}
