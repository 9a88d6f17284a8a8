import { Book, type UpEntry } from '../../src/testing/book.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { History } from '../../src/testing/history.ts';

export type Wire = ConstructorParameters<typeof Book>[1];

/** The account of a run of the connection c, which is going on. */
export class Account {
  readonly clock = new SimulatedClock();
  readonly history = new History(() => this.clock.now());
  readonly book: Book;

  constructor(wire: Wire = 'holdfast.v1') {
    this.book = new Book(this.history, wire);
    this.book.turned('c', 'going on');
    this.clock.advance(100);
  }

  /** The client sends messages with these tags. */
  up(tags: string, entry: Partial<UpEntry> = {}): this {
    for (const tag of tags.split(' '))
      this.book.sentUp({
        tag,
        connection: 'c',
        mayRepeat: false,
        lane: 'c normal',
        kind: 'message',
        content: { text: tag },
        excuses: ['EXPIRED'],
        isLast: false,
        ...entry,
      });
    return this;
  }

  /** The server sends messages with these tags for a session. */
  down(tags: string, session = 'one', isLast = false): this {
    for (const tag of tags.split(' ')) this.book.sentDown({ tag, session, text: tag, isLast });
    return this;
  }

  had(tags: string, place = 'n1'): this {
    for (const tag of tags.split(' ')) this.book.hadUp(tag, place, { text: tag });
    return this;
  }

  heard(tags: string): this {
    for (const tag of tags.split(' ')) this.book.heardDown('c', tag, tag);
    return this;
  }

  told(tag: string, told: Parameters<Book['toldUp']>[1], code = 'EXPIRED'): this {
    this.book.toldUp(tag, told, code);
    return this;
  }

  get breach(): string | undefined {
    return this.history.breach;
  }
}
