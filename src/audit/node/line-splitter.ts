import { isAscii, isUtf8 } from 'node:buffer';

import type { FlawedLine } from '../source.ts';

/** Bytes of a line without its line break: what is longer is told as `length`, and not kept. A log writes no record that is so long. */
export const MAX_LINE_BYTES = 16 * 2 ** 20;

const LINE_BREAK = 0x0a;

/** Makes lines of bytes as they come. */
export class LineSplitter {
  #rest: Buffer[] = [];
  #restBytes = 0;

  /** Bytes of a line that has no line break yet. */
  get restBytes(): number {
    return this.#restBytes;
  }

  /** Takes bytes, of which nothing is kept but a copy, and returns the lines that end in them. */
  take(bytes: Buffer): (string | FlawedLine)[] {
    const end = bytes.lastIndexOf(LINE_BREAK);
    if (end < 0) {
      this.#keep(bytes);
      return [];
    }
    const first = bytes.indexOf(LINE_BREAK);
    this.#keep(bytes.subarray(0, first));
    const lines = [this.#takeRest(), ...(first < end ? linesOf(bytes.subarray(first + 1, end)) : [])];
    this.#keep(bytes.subarray(end + 1));
    return lines;
  }

  /** Forgets what has no line break, and says so. */
  end(): FlawedLine | null {
    const bytes = this.#restBytes;
    this.#rest = [];
    this.#restBytes = 0;
    return bytes > 0 ? { flaw: 'torn', bytes } : null;
  }

  #keep(bytes: Buffer): void {
    this.#restBytes += bytes.length;
    if (this.#restBytes > MAX_LINE_BYTES) this.#rest = [];
    else if (bytes.length > 0) this.#rest.push(Buffer.from(bytes));
  }

  #takeRest(): string | FlawedLine {
    const bytes = this.#restBytes;
    const line = Buffer.concat(this.#rest);
    this.end();
    return bytes > MAX_LINE_BYTES ? { flaw: 'length', bytes } : textOf(line);
  }
}

function linesOf(bytes: Buffer): (string | FlawedLine)[] {
  // the same, sooner
  if (isAscii(bytes)) return bytes.toString('latin1').split('\n');
  if (isUtf8(bytes)) return bytes.toString('utf8').split('\n');
  // in latin1 each byte is a character, and no other is a line break
  return bytes
    .toString('latin1')
    .split('\n')
    .map((line) => textOf(Buffer.from(line, 'latin1')));
}

function textOf(line: Buffer): string | FlawedLine {
  return isUtf8(line) ? line.toString('utf8') : { flaw: 'encoding', bytes: line.length };
}
