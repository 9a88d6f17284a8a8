/** Text as bytes and back. The platform's own codec: it is the same everywhere, and depends on nothing but its input. */

interface Platform {
  TextEncoder: new () => {
    encode(text: string): Uint8Array<ArrayBuffer>;
    encodeInto(text: string, into: Uint8Array): { read: number; written: number };
  };
  TextDecoder: new (
    label: string,
    options: { fatal: boolean; ignoreBOM: boolean },
  ) => { decode(bytes: Uint8Array): string };
}

const { TextEncoder, TextDecoder } = globalThis as unknown as Platform;
const encoder = new TextEncoder();
// strict: a byte that is no text is an error, and a byte order mark is a character like any other
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function toUtf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

// what is written there is never read
const scratch = new Uint8Array(16_384);

/** How many bytes a text has. Nothing is kept of them: to a browser, an array of its own is dearer than what is in it. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (let rest = text; rest !== '';) {
    const { read, written } = encoder.encodeInto(rest, scratch);
    bytes += written;
    rest = rest.slice(read);
  }
  return bytes;
}

/** @throws {TypeError} For bytes that are no UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
