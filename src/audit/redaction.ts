import { tameText } from '../core/redact.ts';
import { callback, check, must, object, oneOf, isListOf, isText } from '../core/rules.ts';
import { canonicalText, sortedKeys } from './canonical.ts';

/** What is not written down, beside what never is: credentials, tokens, and what a URL has after its host. */
export interface RedactionOptions {
  /**
   * Paths of a record such as `event.failure.closure` or `payload.user.*`: `*` stands for one part of any name. What follows a path is not written down either. What an event says the
   * context of an actor may keep: a path of `event` holds for `context`, and the other way round. Turns that depend on what is left out cannot be replayed. Ids and types stay: see `ids`.
   *
   * @default []
   */
  paths?: readonly string[];
  /** Text that a peer or the application wrote for people: reasons of a close, messages of errors. @default 'withheld' */
  texts?: 'withheld' | 'kept';
  /**
   * What stands for the id of a connection, wherever that is written: the same for the same, and another for another, or the log cannot be replayed.
   *
   * @default the id itself; a number for what looks like a token or a URL
   */
  ids?: (id: string) => string;
  /**
   * What messages say; they are recorded at the level `messages` only, text that is JSON as what it is, and no more than 65,536 characters of one. A function says what of one is
   * kept.
   *
   * @default 'withheld'
   */
  payloads?: 'withheld' | 'kept' | ((payload: unknown) => unknown);
}

/** What stands where something was not written down. */
export const REDACTED = '[redacted]';

/** What is left of a value, and the paths of what is not. */
export interface Redacted {
  /** As canonical JSON. */
  text: string;
  paths: string[];
}

const PATH = /^(payload|error|(event|context)\.[^.]+)(\.[^.]+)*$/;

export const redactionRule = object({
  paths: must('a list of paths of event, context, payload or error, such as event.failure', (value) =>
    isListOf(value, (path) => isText(path) && PATH.test(path)),
  ),
  texts: oneOf(['withheld', 'kept']),
  ids: callback,
  payloads: (value, path) =>
    typeof value === 'function' ? callback(value, path) : oneOf(['withheld', 'kept'])(value, path),
});

// names of what opens doors; the chart's own word for whether fresh ones are needed is no such thing
const SECRET =
  /token|secret|passw|passphrase|^pwd$|^otp$|^pin$|credential|authori[sz]ation|^auth$|cookie|(api|access)[-_]?key|session[-_]?(id|key)|signature|private|bearer|^headers?$|jwt/i;
const NO_SECRET: ReadonlySet<unknown> = new Set(['fresh', 'kept']);
const TEXT: ReadonlySet<string> = new Set(['reason', 'message', 'stack', 'description']);
// what may have to be changed in a text: most need no second look
const SUSPECT =
  /:\/\/|eyJ|bearer|basic|[^\x20-\x7e\u00a0-\u061b\u061d-\u200d\u2010-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\uffff]/i;
// source: RFC 7519 (three parts, the first a JSON object in base64url); RFC 6750 and RFC 7617 (schemes)
const TOKENS = /\beyJ[\w-]+\.[\w-]*(\.[\w-]*)?|\b(bearer|basic)\s+[\w+/=.~-]+/gi;
// in a text that is no JSON
const NAMED = /\b([\w-]*(?:token|secret|passw|passphrase|api[-_]?key|authorization)[\w-]*)(\s*[=:]\s*)[^\s&;,]+/i;
const NAMED_ALL = new RegExp(NAMED, 'gi');
const LOOKS_SECRET = /:\/\/|\beyJ[\w-]+\./;
// eslint-disable-next-line no-control-regex -- naming them is the point
const CONTROL = /[%\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\p{Surrogate}/gu;
const PLAIN = /^[ -$&-~]*$/;
const CONNECTION = 'connection:';
// under these names the machines keep ids, and in their types events speak of actors
const IDS: ReadonlySet<string> = new Set(['id', 'connectionId', 'actorId', 'group', 'type']);
const MOST_PSEUDONYMS = 10_000;
const MOST_PAYLOAD = 65_536;

/**
 * Decides what of a record is written down, and writes it as canonical JSON in the same pass. The same always becomes the same, so that a redacted log can be replayed. Never throws.
 */
export class Redaction {
  readonly #paths: readonly (readonly string[])[];
  readonly #keepsTexts: boolean;
  readonly #payloads: NonNullable<RedactionOptions['payloads']>;
  readonly #secrets = new Map<string, boolean>();
  readonly #policies = new WeakMap<object, string>();
  readonly #ids: (id: string) => string;
  readonly #pseudonyms = new Map<string, string>();
  // where the writing is: the parts of its path, the objects around it, and the paths of what was left out
  #path: string[] = [];
  #above: object[] = [];
  #left: string[] = [];

  /** @throws {ConfigurationError} `INVALID_OPTIONS` */
  constructor(options: RedactionOptions = {}) {
    check(redactionRule, options);
    this.#paths = (options.paths ?? []).map((path) => path.replace(/^context(?=\.|$)/, 'event').split('.'));
    this.#keepsTexts = options.texts === 'kept';
    this.#payloads = options.payloads ?? 'withheld';
    this.#ids = options.ids ?? ((id) => (LOOKS_SECRET.test(id) ? this.#pseudonym(id) : id));
  }

  /**
   * What is written of a name that machines know: the id of a connection, or what that is the end of, as in the ids of actors, events about them and effects. What could forge a reading is escaped as
   * in URLs, for another name must stay another.
   */
  name(text: string): string {
    const at = text.indexOf(CONNECTION);
    return at < 0 ? escaped(text) : text.slice(0, at + CONNECTION.length) + this.id(text.slice(at + CONNECTION.length));
  }

  /** What is written of the id of a connection. */
  id(id: string): string {
    try {
      return escaped(this.#ids(id));
    } catch {
      return this.#pseudonym(id);
    }
  }

  /** What may be written down of `value`, which is at `path` in its record. */
  of(value: unknown, path: string): Redacted {
    return this.#begun(path, () => this.#written(value) ?? 'null');
  }

  /** The same of what is under the paths of a context; `null` where there is nothing. */
  ofChanges(changes: Readonly<Record<string, unknown>>): Redacted | null {
    const keys = sortedKeys(changes);
    if (keys.length === 0) return null;
    return this.#begun('context', () => {
      let text = '';
      for (const key of keys) {
        const parts = key.split('.');
        this.#path.push(...parts);
        text += `${text === '' ? '{' : ','}${canonicalText(key)}:${this.#change(parts, changes[key]) ?? 'null'}`;
        this.#path.length = 1;
      }
      return `${text}}`;
    });
  }

  /** The same of what a message says; `undefined` for nothing at all. @throws What the application's own function throws. */
  payload(payload: unknown): Redacted | undefined {
    if (this.#payloads === 'withheld') return undefined;
    const kept = this.#payloads === 'kept' ? payload : this.#payloads(payload);
    if (kept === undefined) return undefined;
    const written = this.of(parsed(kept), 'payload');
    return written.text.length > MOST_PAYLOAD ? { text: canonicalText(REDACTED), paths: ['payload'] } : written;
  }

  #begun(path: string, write: () => string): Redacted {
    this.#path = [path];
    this.#above = [];
    this.#left = [];
    try {
      return { text: write(), paths: this.#left };
    } catch {
      // a getter of somebody's object
      return { text: canonicalText(REDACTED), paths: [path] };
    }
  }

  #written(value: unknown): string | undefined {
    if (this.#paths.length > 0 && this.#isNamed()) return this.#withheld();
    switch (typeof value) {
      case 'string':
        return this.#text(value);
      case 'number':
        return Number.isFinite(value) ? JSON.stringify(value) : 'null';
      case 'boolean':
        return value ? 'true' : 'false';
      case 'object':
        return value === null || this.#above.includes(value) ? 'null' : this.#composite(value);
      case 'bigint':
        return canonicalText(String(value));
      default:
        return undefined;
    }
  }

  #composite(value: object): string {
    if (value instanceof Error) return this.#written(errorFacts(value)) ?? 'null';
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return `"${value.byteLength} bytes"`;
    this.#above.push(value);
    let text = '';
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) {
        text += `${text === '' ? '' : ','}${this.#at(String(index), value[index]) ?? 'null'}`;
      }
      text = `[${text}]`;
    } else {
      const fields = value as Record<string, unknown>;
      for (const key of sortedKeys(fields)) {
        const item = this.#at(key, fields[key]);
        if (item !== undefined) text += `${text === '' ? '' : ','}${canonicalText(key)}:${item}`;
      }
      text = `{${text}}`;
    }
    this.#above.pop();
    return text;
  }

  #at(key: string, value: unknown): string | undefined {
    this.#path.push(key);
    const text = this.#item(key, value);
    this.#path.pop();
    return text;
  }

  // a change names those that it is in, which may be secret where it is not
  #change(parts: readonly string[], value: unknown): string | undefined {
    const isInSecret = parts.some((part, index) => index < parts.length - 1 && this.#isSecret(part));
    return isInSecret ? this.#withheld() : this.#item(parts.at(-1) ?? '', value);
  }

  #item(key: string, value: unknown): string | undefined {
    if (this.#isWithheld(key, value)) return this.#withheld();
    if (typeof value === 'string' && IDS.has(key) && this.#path[0] !== 'payload') return this.#identified(key, value);
    return key === 'policy' && typeof value === 'object' && value !== null ? this.#policy(value) : this.#written(value);
  }

  #identified(key: string, value: string): string {
    // no path leaves them out: they are what tells actors apart, wherever they stand, and `ids` says how they are written
    const isOfActor = key === 'type' || key === 'actorId' || key === 'group' || value.startsWith('group:');
    const shown = isOfActor ? this.name(value) : this.id(value);
    if (shown !== value) this.#left.push(this.#path.join('.'));
    return canonicalText(shown);
  }

  #pseudonym(id: string): string {
    const known = this.#pseudonyms.get(id);
    if (known !== undefined) return known;
    if (this.#pseudonyms.size >= MOST_PSEUDONYMS) return '[redacted]';
    const pseudonym = `[redacted-${this.#pseudonyms.size + 1}]`;
    this.#pseudonyms.set(id, pseudonym);
    return pseudonym;
  }

  // that of a service is one object for all its connections, and longer than everything else that is written
  #policy(policy: object): string | undefined {
    const known = this.#policies.get(policy);
    if (known !== undefined) return known;
    const left = this.#left.length;
    const text = this.#written(policy);
    if (text !== undefined && this.#paths.length === 0 && this.#left.length === left) this.#policies.set(policy, text);
    return text;
  }

  #isWithheld(key: string, value: unknown): boolean {
    // a number or a switch of a secret's name is a fact about secrets, where it is not a message that says it
    const isFact = typeof value !== 'string' && (typeof value !== 'object' || value === null);
    if (isFact && (this.#path[0] !== 'payload' || value === null || value === undefined)) return false;
    if (TEXT.has(key)) return !this.#keepsTexts && typeof value === 'string' && value !== '';
    return this.#isSecret(key) && !NO_SECRET.has(value);
  }

  #isSecret(key: string): boolean {
    let isSecret = this.#secrets.get(key);
    if (isSecret === undefined) this.#secrets.set(key, (isSecret = SECRET.test(key)));
    return isSecret;
  }

  #text(text: string): string {
    const isPayload = this.#path[0] === 'payload';
    if (!SUSPECT.test(text) && !(isPayload && NAMED.test(text))) return canonicalText(text);
    // tokens come last: what hides one in a URL or between control characters is gone by then
    const tame = tameText(text);
    const shown = (isPayload ? tame.replace(NAMED_ALL, `$1$2${REDACTED}`) : tame).replace(TOKENS, REDACTED);
    if (shown !== text) this.#left.push(this.#path.join('.'));
    return canonicalText(shown);
  }

  #withheld(): string {
    this.#left.push(this.#path.join('.'));
    return canonicalText(REDACTED);
  }

  #isNamed(): boolean {
    const [root, ...path] = this.#path;
    const within = root === 'context' ? 'event' : root;
    return this.#paths.some(
      ([first, ...named]) =>
        first === within &&
        named.length <= path.length &&
        named.every((part, index) => part === '*' || part === path[index]),
    );
  }
}

function escaped(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(CONTROL, (character) => `%${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`);
}

// what travels is text; what it says is under the names in it
function parsed(payload: unknown): unknown {
  if (typeof payload !== 'string' || !/^\s*[[{]/.test(payload)) return payload;
  try {
    return JSON.parse(payload) as unknown;
  } catch {
    return payload;
  }
}

function errorFacts(error: Error): object {
  const { name, message } = error;
  const { code } = error as { code?: unknown };
  return { name, message, ...((typeof code === 'string' || typeof code === 'number') && { code }) };
}
