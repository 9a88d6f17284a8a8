import { defineProfile, type Profile, type ServiceOptions } from 'holdfast';

/** How many characters the window shows. */
export interface TerminalSize {
  cols: number;
  rows: number;
}

/**
 * A control message. The server takes a frame for one only if it begins with exactly these characters, so the text is put
 * together by hand.
 */
export function resize({ cols, rows }: TerminalSize): string {
  return `{"type":"resize","cols":${cols},"rows":${rows}}`;
}

/**
 * What was typed or pasted, as the frames that carry it: one, as a rule. Text that begins like a control message would be
 * swallowed, and a malformed one ends all input; cut after its first character it is text again, for the shell sees no frames.
 */
export function typed(text: string): string[] {
  return text.startsWith('{"type":') ? [text.slice(0, 1), text.slice(1)] : [text];
}

/** Raw text both ways: nothing is parsed, wrapped or answered. Each opening is a new shell of 80 by 24, which is told its size first. */
export function terminalProfile(size: () => TerminalSize): Profile<string, string> {
  return defineProfile({ codec: 'text', onOpen: () => [resize(size())] });
}

/** The terminal's endpoint. `base` is `ws://host`. */
export function terminalService(base: string, size: () => TerminalSize) {
  return {
    // a shell that outlives its socket kills the next one of the same id: every attempt has an id of its own
    url: ({ attemptId }) => `${base}/ws/terminal/${attemptId}`,
    profile: terminalProfile(size),
    // two keys of one turn may share a write; a paste that fills the buffer must not hold the interrupt key back for long
    queue: { highWaterBytes: 65_536, lowWaterBytes: 16_384 },
  } satisfies ServiceOptions;
}
