import { failure, type Failure } from './core/recovery.ts';
import type { EncodedMessage } from './protocol/codec.ts';
import { encodeWith, type OpenContext, type Profile } from './protocol/profile.ts';

/** How a greeting ended: with nothing to complain about, or with what the application's code threw. */
export interface Greeted {
  failed: Failure | null;
  cause?: unknown;
}

/**
 * Sends what the profile says comes first on every link, and then says so: at once, unless the profile answers with a promise.
 *
 * @returns Abandons it.
 */
export function greet(
  send: (messages: readonly EncodedMessage[]) => void,
  { profile, context }: { profile: Profile; context: OpenContext },
  greeted: (greeted: Greeted) => void,
): () => void {
  let isAbandoned = false;
  const fail = (cause: unknown): void => {
    const kind = cause instanceof Error ? cause.name : `a ${typeof cause}`;
    if (!isAbandoned) greeted({ failed: failure('GREETING_FAILED', kind), cause });
  };
  const say = (messages: Iterable<unknown>): void => {
    if (isAbandoned) return;
    try {
      // all or none: what cannot be encoded is known before the first has left
      const encoded = [...messages].map((message) => encodeWith(profile, message));
      send(encoded);
    } catch (cause) {
      return fail(cause);
    }
    greeted({ failed: null });
  };
  try {
    const messages = profile.onOpen?.(context) ?? [];
    if ('then' in messages) messages.then(say, fail);
    else say(messages);
  } catch (cause) {
    fail(cause);
  }
  return () => {
    isAbandoned = true;
  };
}
