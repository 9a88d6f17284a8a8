import { vi } from 'vitest';
import { Channel } from '../../src/channel.ts';
import { Pool } from '../../src/pool.ts';
import { OpenChannel } from '../../src/server/open-channel.ts';
import { Outflow } from '../../src/server/outflow.ts';
import { SessionWire } from '../../src/session-wire.ts';
import { methodOf, type Mutation } from './mutation.ts';

/** Each rule on which the promises of channels rest, switched off alone. */
export const CHANNEL_MUTATIONS: readonly Mutation[] = [
  {
    what: 'the queue of a channel is dropped at its end',
    shows: /nobody has had/,
    flaws: { faults: ['slow readers'] },
    apply: () => {
      const ended = methodOf(OpenChannel.prototype, 'ended');
      vi.spyOn(OpenChannel.prototype, 'ended').mockImplementation(function (this: OpenChannel) {
        ended.call(this);
        this.forget();
      });
    },
  },
  {
    what: 'a message of a channel is dropped when its queue is full',
    shows: /is missing|nobody has had/,
    flaws: { faults: ['slow readers'] },
    apply: () => {
      const put = methodOf(OpenChannel.prototype, 'put');
      vi.spyOn(OpenChannel.prototype, 'put').mockImplementation(function (this: OpenChannel, letter) {
        if (this.isHeld) letter.accept();
        else put.call(this, letter);
      });
    },
  },
  {
    what: 'a channel that is held back goes on',
    shows: /which is held back/,
    flaws: { faults: ['slow readers'] },
    apply: () => {
      vi.spyOn(Channel.prototype, 'isHeld', 'get').mockReturnValue(false);
    },
  },
  {
    what: 'a server goes on with a channel that its client holds back',
    shows: /n\d .* which is held back/,
    flaws: { faults: ['slow readers'] },
    apply: () => {
      vi.spyOn(Outflow.prototype, 'hold').mockImplementation(() => undefined);
    },
  },
  {
    what: 'a server never lets a channel go that its client has held back',
    shows: /no rest/,
    flaws: { faults: ['slow readers'] },
    apply: () => {
      const hold = methodOf(Outflow.prototype, 'hold');
      vi.spyOn(Outflow.prototype, 'hold').mockImplementation(function (this: Outflow, channel, isHeld) {
        if (isHeld) hold.call(this, channel, isHeld);
      });
    },
  },
  {
    what: 'channels are not opened again on a new socket',
    shows: /gave up/,
    flaws: { faults: ['cuts', 'roaming'] },
    apply: () => {
      silence('open');
    },
  },
  {
    what: 'the end of a channel is not told again on a new socket',
    shows: /nothing came at|is nothing now|gave up|and had up to/,
    flaws: { faults: ['cuts', 'roaming', 'slow network'] },
    apply: () => {
      silence('shut');
    },
  },
  {
    what: 'the messages of channels are mixed up',
    shows: /, which is for/,
    apply: () => {
      const deliver = methodOf(Pool.prototype, 'deliver');
      let last = '';
      vi.spyOn(Pool.prototype, 'deliver').mockImplementation(function (this: Pool, name, payload, meta) {
        deliver.call(this, last || name, payload, meta);
        last = name;
      });
    },
  },
];

// what a pool has to say of its channels when the socket is welcomed, but for this
function silence(type: 'open' | 'shut'): void {
  const introduce = methodOf(Pool.prototype, 'introduce');
  const control = methodOf(SessionWire.prototype, 'control');
  let isIntroducing = false;
  vi.spyOn(SessionWire.prototype, 'control').mockImplementation(function (this: SessionWire, frame) {
    if (!isIntroducing || frame.t !== type) control.call(this, frame);
  });
  vi.spyOn(Pool.prototype, 'introduce').mockImplementation(function (this: Pool, wire) {
    isIntroducing = true;
    introduce.call(this, wire);
    isIntroducing = false;
  });
}
