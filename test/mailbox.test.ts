import { expect, test } from 'vitest';

import type { ConnectionEvent } from '../machines/facts.ts';
import { Mailbox } from '../src/mailbox.ts';

test('a mailbox hands over what it was sent, in order and once, and nothing that it was told to forget', () => {
  const mailbox = new Mailbox();
  const told: string[] = [];
  const actor = { send: ({ type }: ConnectionEvent): unknown => told.push(type) };
  mailbox.send({ type: 'resume' });
  mailbox.clear();
  mailbox.send({ type: 'pause' });
  mailbox.send({ type: 'connect' });
  mailbox.deliver(actor);
  mailbox.deliver(actor);
  expect(told).toEqual(['pause', 'connect']);
});
