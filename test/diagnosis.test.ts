import { describe, expect, test } from 'vitest';

import { DIAGNOSTIC_STEPS } from '../src/diagnosis.ts';
import { DiagnosticsRig } from './support/diagnostics.ts';

describe('the steps of a diagnosis', () => {
  test('go from what is nearest to what is furthest', () => {
    expect(DIAGNOSTIC_STEPS).toEqual([
      'configuration',
      'reachability',
      'handshake',
      'subprotocol',
      'authentication',
      'roundTrip',
      'burst',
      'queue',
      'clock',
    ]);
  });

  test.each(['terminal:one', 'chat'])('are each in the report on %s, once and in this order', async (target) => {
    const r = new DiagnosticsRig();
    await r.open();
    const { steps } = await r.diagnosed(target);
    expect(steps.map(({ id }) => id)).toEqual(DIAGNOSTIC_STEPS);
  });
});
