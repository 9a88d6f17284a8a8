import type { Asked, Orders } from '../peers/process.ts';
import { within } from './within.ts';

/** As much of a WebSocket as a line needs: a browser has it as well as `ws`. */
export interface Wire {
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: () => void): void;
  send(text: string): void;
}

interface Question {
  id: number;
  order: string;
  input: unknown;
}

interface Answer {
  id: number;
  output?: unknown;
  error?: string;
}

const DEADLINE_MS = 120_000;

/** One end of a socket over which two ask each other. */
export class Line<Theirs extends Orders> implements Asked<Theirs> {
  readonly #wire: Wire;
  readonly #waiting = new Map<number, { resolve: (output: never) => void; reject: (error: Error) => void }>();
  #asked = 0;

  /** `orders`: what is done here when the other end asks. */
  constructor(wire: Wire, orders: Orders) {
    this.#wire = wire;
    wire.addEventListener('message', ({ data }) => {
      const said = JSON.parse(String(data)) as Question | Answer;
      if ('order' in said) void this.#answer(said, orders);
      else this.#settle(said);
    });
    wire.addEventListener('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('The other end is gone.'));
      this.#waiting.clear();
    });
  }

  ask<Name extends keyof Theirs & string>(
    order: Name,
    ...[input]: Parameters<Theirs[Name]> extends [] ? [] : Parameters<Theirs[Name]>
  ): Promise<Awaited<ReturnType<Theirs[Name]>>> {
    const id = ++this.#asked;
    const answer = new Promise<Awaited<ReturnType<Theirs[Name]>>>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#wire.send(JSON.stringify({ id, order, input } satisfies Question));
    });
    return within(DEADLINE_MS, order, answer);
  }

  async #answer({ id, order, input }: Question, orders: Orders): Promise<void> {
    const say = (answer: Omit<Answer, 'id'>): void => {
      this.#wire.send(JSON.stringify({ id, ...answer } satisfies Answer));
    };
    try {
      const known = orders[order];
      if (!known) throw new Error(`Nobody here knows how to ${order}.`);
      say({ output: await known(input as never) });
    } catch (error) {
      say({ error: String((error as Error).stack) });
    }
  }

  #settle({ id, output, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(output as never);
    else waiting?.reject(new Error(error));
  }
}
