import { expect, test } from 'vitest';

import { Line, type Wire } from '../../bench/browser/line.ts';

/** Two sockets of which each hears what is said into the other. */
function joined(): { ends: [Wire, Wire]; close: () => void } {
  const [here, there] = [new EventTarget(), new EventTarget()];
  const end = (own: EventTarget, other: EventTarget): Wire => ({
    addEventListener: (type: string, listener: (event: { data: unknown }) => void) => {
      own.addEventListener(type, (event) => {
        listener({ data: (event as MessageEvent).data });
      });
    },
    send: (text) => {
      other.dispatchEvent(new MessageEvent('message', { data: text }));
    },
  });
  return {
    ends: [end(here, there), end(there, here)],
    close: () => {
      here.dispatchEvent(new Event('close'));
    },
  };
}

const sums = {
  add: ({ one, other }: { one: number; other: number }) => one + other,
  never: () => new Promise<void>(() => undefined),
  fail: (): void => {
    throw new Error('It is broken.');
  },
};
const names = { name: () => Promise.resolve('desk') };

test('each end of a line does what the other asks', async () => {
  const { ends } = joined();
  const desk = new Line<typeof sums>(ends[0], names);
  const page = new Line<typeof names>(ends[1], sums);
  const answers = await Promise.all([
    desk.ask('add', { one: 2, other: 3 }),
    page.ask('name'),
    desk.ask('add', { one: 4, other: 4 }),
  ]);
  expect(answers).toEqual([5, 'desk', 8]);
});

test('what fails at the other end fails here, and so does what it does not know', async () => {
  const { ends } = joined();
  const desk = new Line<typeof sums & typeof names>(ends[0], {});
  new Line(ends[1], sums);
  await expect(desk.ask('fail')).rejects.toThrow('It is broken.');
  await expect(desk.ask('name')).rejects.toThrow('Nobody here knows how to name.');
});

test('a question has no answer any more when the line is closed', async () => {
  const { ends, close } = joined();
  const desk = new Line<typeof sums>(ends[0], {});
  new Line(ends[1], sums);
  const asked = desk.ask('never');
  close();
  await expect(asked).rejects.toThrow('The other end is gone.');
});
