import { callback as callbackRule, check, object, required, text } from '../../core/rules.ts';
import { AuditError } from '../../errors.ts';
import type { AuditSink } from '../sink.ts';
import { closedError } from './stored.ts';

export interface CallbackSinkOptions {
  /** @default 'callback' */
  name?: string;
}

const rule = object({ callback: required(callbackRule), name: text });

/**
 * Hands each batch of lines, oldest first, to a function, which may return a promise. What it throws or rejects with says that it has stored none of them:
 * they are given again, with what has come since. Its log begins anew with every run.
 *
 * @throws {ConfigurationError} `INVALID_OPTIONS`
 */
export function callbackSink(
  callback: (lines: readonly string[]) => unknown,
  { name = 'callback', ...others }: CallbackSinkOptions = {},
): AuditSink {
  check(rule, { callback, name, ...others });
  let isClosed = false;
  return {
    name,
    async append(lines) {
      if (isClosed) throw closedError(name);
      try {
        await callback([...lines]);
      } catch (cause) {
        throw new AuditError('AUDIT_SINK_FAILED', { sink: name, message: 'The function of the sink failed.', cause });
      }
    },
    close() {
      isClosed = true;
    },
  };
}
