import { within } from '../within.ts';

/** What somebody does when he is asked to, by name. */
export type Orders = Record<string, (input: never) => unknown>;

/** Whom one can ask to do something, by name. */
export interface Asked<Known extends Orders> {
  ask<Name extends keyof Known & string>(
    order: Name,
    ...[input]: Parameters<Known[Name]> extends [] ? [] : Parameters<Known[Name]>
  ): Promise<Awaited<ReturnType<Known[Name]>>>;
}

export interface Question {
  id: number;
  order: string;
  input: unknown;
}

export interface Answer {
  id: number;
  output?: unknown;
  error?: string;
}

const DEADLINE_MS = 120_000;

/** Questions to another end, whatever carries them, until they are answered. */
export class Questions<Known extends Orders> implements Asked<Known> {
  readonly #send: (question: Question) => void;
  readonly #waiting = new Map<number, { resolve: (output: never) => void; reject: (error: Error) => void }>();
  #asked = 0;

  constructor(send: (question: Question) => void) {
    this.#send = send;
  }

  ask<Name extends keyof Known & string>(
    order: Name,
    ...[input]: Parameters<Known[Name]> extends [] ? [] : Parameters<Known[Name]>
  ): Promise<Awaited<ReturnType<Known[Name]>>> {
    const id = ++this.#asked;
    const answer = new Promise<Awaited<ReturnType<Known[Name]>>>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#send({ id, order, input });
    });
    return within(DEADLINE_MS, order, answer);
  }

  answered({ id, output, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(output as never);
    else waiting?.reject(new Error(error));
  }

  /** None of them will be answered any more. */
  abandon(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(why));
    this.#waiting.clear();
  }
}

/** Does what is asked. */
export async function answerTo({ id, order, input }: Question, orders: Orders): Promise<Answer> {
  try {
    const known = orders[order];
    if (!known) throw new Error(`Nobody here knows how to ${order}.`);
    return { id, output: await known(input as never) };
  } catch (error) {
    return { id, error: String((error as Error).stack) };
  }
}
