import { describe, expect, test } from 'vitest';

import { Answers } from '../src/answers.ts';
import { MessageError } from '../src/errors.ts';
import { OutboundMessage } from '../src/message.ts';
import type { SendOptions } from '../src/receipt.ts';
import { deferred, microtasks } from './support/service.ts';

class Desk {
  readonly answers: Answers;
  /** What was sent: replies, their headers, and whose replies they are. */
  readonly sent: { reply: unknown; options: SendOptions; re: string | undefined; receipt: OutboundMessage }[] = [];
  readonly reported: unknown[] = [];

  constructor() {
    this.answers = new Answers({
      send: (reply, options, { re }) => {
        const receipt = new OutboundMessage({ data: '', bytes: 0, form: 'text' }, options, {
          number: this.sent.length + 1,
          now: 0,
          cancel: (own) => {
            own.ended('dropped', new MessageError('SEND_CANCELLED'));
            return true;
          },
        });
        this.sent.push({ reply, options, re, receipt });
        return receipt;
      },
      report: (cause) => this.reported.push(cause),
    });
  }

  get replies(): unknown[] {
    return this.sent.map(({ reply, re }) => [re, reply]);
  }
}

describe('requests of the peer', () => {
  test('are told from messages by the id that they carry', () => {
    const { answers } = new Desk();
    expect([undefined, {}, { re: 'q' }, { r: 'q' }].map((meta) => answers.take('x', meta))).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  test('are answered by what the handler returns, or its promise gives, each by its id', async () => {
    const d = new Desk();
    const slow = deferred<string>();
    d.answers.use((message) => (message === 'slow' ? slow.promise : `re ${String(message)}`));
    d.answers.take('slow', { r: 'q1' });
    d.answers.take('fast', { r: 'q2' });
    await microtasks();
    expect(d.replies).toEqual([['q2', 're fast']]);
    slow.resolve('done');
    await microtasks();
    expect(d.replies).toEqual([
      ['q2', 're fast'],
      ['q1', 'done'],
    ]);
  });

  test('that are answered with nothing get a null: whoever asked waits for something', async () => {
    const d = new Desk();
    d.answers.use(() => undefined);
    d.answers.take('x', { r: 'q' });
    await microtasks();
    expect(d.replies).toEqual([['q', null]]);
  });

  test('are refused where nobody answers', () => {
    const d = new Desk();
    d.answers.take('x', { r: 'q' });
    expect(d.sent).toMatchObject([{ re: 'q', options: { headers: { error: 'NO_HANDLER' } } }]);
    expect(d.reported).toEqual([]);
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('s3cr3t');
      },
    ],
    ['rejects', () => Promise.reject(new Error('s3cr3t'))],
  ])('are refused when the handler %s, which is reported, and not told to the peer', async (_how, fail) => {
    const d = new Desk();
    d.answers.use(fail);
    d.answers.take('x', { r: 'q' });
    await microtasks();
    expect(d.sent).toMatchObject([{ re: 'q', options: { headers: { error: 'HANDLER_FAILED' } } }]);
    expect(JSON.stringify(d.sent.map(({ reply, options }) => [reply, options]))).not.toContain('s3cr3t');
    expect(d.reported).toEqual([new Error('s3cr3t')]);
  });

  test('go to the latest handler, and ending an older one changes nothing', async () => {
    const d = new Desk();
    const endOld = d.answers.use(() => 'old');
    const endNew = d.answers.use(() => 'new');
    endOld();
    d.answers.take('x', { r: 'q1' });
    await microtasks();
    endNew();
    d.answers.take('x', { r: 'q2' });
    expect(d.replies[0]).toEqual(['q1', 'new']);
    expect(d.sent[1]).toMatchObject({ re: 'q2', options: { headers: { error: 'NO_HANDLER' } } });
  });

  test('of a session that is over are answered no more: another may ask by the same id', async () => {
    const d = new Desk();
    const answers = [deferred<string>(), deferred<string>()];
    d.answers.use((index) => answers[Number(index)]?.promise ?? 'at once');
    d.answers.take('none', { r: 'q0' });
    d.answers.take('0', { r: 'q1' });
    d.answers.take('1', { r: 'q2' });
    await microtasks();
    d.answers.lost();
    expect(d.sent[0]?.receipt.fate).toBe('dropped');
    answers[0]?.resolve('late');
    answers[1]?.reject(new Error('late'));
    await microtasks();
    expect(d.replies).toEqual([['q0', 'at once']]);
    expect(d.reported).toEqual([new Error('late')]);
    d.answers.take('none', { r: 'q1' });
    await microtasks();
    expect(d.replies.at(-1)).toEqual(['q1', 'at once']);
  });

  test('take back no reply that has its fate', async () => {
    const d = new Desk();
    d.answers.use(() => 'x');
    d.answers.take('x', { r: 'q' });
    await microtasks();
    d.sent[0]?.receipt.ended('acknowledged');
    await microtasks();
    d.answers.lost();
    expect(d.sent[0]?.receipt.fate).toBe('acknowledged');
  });
});
