import { answerTo, Questions, type Answer, type Asked, type Orders, type Question } from '../peers/questions.ts';

/** As much of a WebSocket as a line needs: a browser has it as well as `ws`. */
export interface Wire {
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: () => void): void;
  send(text: string): void;
}

/** One end of a socket over which two ask each other. */
export class Line<Theirs extends Orders> implements Asked<Theirs> {
  readonly ask: Questions<Theirs>['ask'];

  /** `orders`: what is done here when the other end asks. */
  constructor(wire: Wire, orders: Orders) {
    const say = (said: Question | Answer): void => {
      wire.send(JSON.stringify(said));
    };
    const questions = new Questions<Theirs>(say);
    this.ask = questions.ask.bind(questions);
    wire.addEventListener('message', ({ data }) => {
      const said = JSON.parse(String(data)) as Question | Answer;
      if ('order' in said) void answerTo(said, orders).then(say);
      else questions.answered(said);
    });
    wire.addEventListener('close', () => {
      questions.abandon('The other end is gone.');
    });
  }
}
