import { vi } from 'vitest';
import { writeText } from '../../src/protocol/text-frames.ts';
import { Intake } from '../../src/server/intake.ts';
import { Refusals } from '../../src/server/refusals.ts';
import { methodOf, type Mutation } from './mutation.ts';
import type { Data } from '../../src/testing/parcel.ts';
import { read } from './reading.ts';

/** Each rule on which the promises of refusals rest, switched off alone. */
export const REFUSAL_MUTATIONS: readonly Mutation[] = [
  {
    what: 'a refusal goes with its socket',
    shows: /no rest|is acknowledged, and no application/,
    flaws: { faults: ['unwilling handlers', 'cuts'] },
    apply: () => {
      vi.spyOn(Refusals.prototype, 'attached').mockImplementation(() => undefined);
    },
  },
  {
    what: 'a refused message counts as accepted before its client has the refusal',
    shows: /no application has accepted it/,
    flaws: { faults: ['unwilling handlers', 'cuts'] },
    apply: () => {
      const refuse = methodOf(Intake.prototype, 'refuse');
      const has = methodOf(Refusals.prototype, 'has');
      let isForced = false;
      vi.spyOn(Refusals.prototype, 'has').mockImplementation(function (this: Refusals, position) {
        return !isForced && has.call(this, position);
      });
      vi.spyOn(Intake.prototype, 'refuse').mockImplementation(function (this: Intake, position, refusal) {
        refuse.call(this, position, refusal);
        isForced = true;
        this.accept(position);
        isForced = false;
      });
    },
  },
  {
    what: 'a refusal is told of the message before',
    shows: /no application has (refused|accepted) it/,
    flaws: { faults: ['unwilling handlers'], tampering: { down: (data) => ofTheOneBefore(data) } },
  },
];

function ofTheOneBefore(data: Data): Data {
  const frame = typeof data === 'string' && data.startsWith('{"t":"nack"') ? read(data, 'server') : null;
  if (frame?.t !== 'nack' || frame.s === undefined || frame.s === 1) return data;
  return writeText({ ...frame, s: frame.s - 1, e: frame.s - 1 });
}
