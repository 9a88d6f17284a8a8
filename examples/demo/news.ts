/** The account of what a server sends of its own accord, from what its application said and what the client's heard. */
export class News {
  // the numbers as the server's application reported them
  #said = 0;
  #confirmed = 0;
  #isOver = true;
  // the numbers as the client's application heard them, in that order
  readonly #heard: number[] = [];

  /** The server begins. */
  begin(): void {
    this.#isOver = false;
  }

  /** The server's application sent the next. */
  said(): void {
    this.#said += 1;
  }

  /** The receipt that the server's application has for one says: accepted. */
  confirmed(): void {
    this.#confirmed += 1;
  }

  /** The server says no more. */
  end(): void {
    this.#isOver = true;
  }

  /** The client's application received the one of this number. */
  heard(number: number): void {
    this.#heard.push(number);
  }

  /** Whether nothing is under way any more. */
  get isSettled(): boolean {
    return this.#isOver && this.#confirmed === this.#said && this.#heard.length >= this.#said;
  }

  get sums(): { said: number; confirmed: number } {
    return { said: this.#said, confirmed: this.#confirmed };
  }

  get arrived(): readonly number[] {
    return this.#heard;
  }
}
