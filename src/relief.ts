import type { Wire } from './wire.ts';

/** Whoever waits for room on the line; also when one wire takes the place of another meanwhile. One at a time. */
export class Relief {
  #relieved: (() => void) | undefined;
  #lowWaterBytes = 0;

  /** Begins to wait. @returns Ends that. */
  wait(
    wire: Wire | undefined,
    { lowWaterBytes, relieved }: { lowWaterBytes: number; relieved: () => void },
  ): () => void {
    this.#relieved = relieved;
    this.#lowWaterBytes = lowWaterBytes;
    this.watch(wire);
    return () => {
      if (this.#relieved === relieved) this.#relieved = undefined;
    };
  }

  /** This is the wire from now on. */
  watch(wire: Wire | undefined): void {
    const relieved = this.#relieved;
    if (!wire || !relieved) return;
    wire.onceRelieved(this.#lowWaterBytes, () => {
      if (this.#relieved === relieved) relieved();
    });
    wire.look();
  }
}
