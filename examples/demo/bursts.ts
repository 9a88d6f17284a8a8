import { between, type Draw } from './chance.ts';

const LONGEST_PAUSE_MS = 60;
const MOST_AT_ONCE = 8;

/** Does something again and again, a few times in a row after each pause: about 150 times a second. */
export class Bursts {
  readonly #act: () => void;
  readonly #draw: Draw;
  #timer: NodeJS.Timeout | undefined;

  constructor(act: () => void, draw: Draw) {
    this.#act = act;
    this.#draw = draw;
  }

  start(): void {
    this.#timer = setTimeout(
      () => {
        for (let left = between(0, MOST_AT_ONCE, this.#draw); left > 0; left -= 1) this.#act();
        this.start();
      },
      between(0, LONGEST_PAUSE_MS, this.#draw),
    );
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
