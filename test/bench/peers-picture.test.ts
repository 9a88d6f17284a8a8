import { expect, test } from 'vitest';

import { peersPicture } from '../../bench/peers-picture.ts';
import type { Section } from '../../bench/section.ts';

const spread = (median: number) => ({ median, least: median, most: median });

function sectionOf(title: string, figure: string, ratios: Record<string, number>): Section {
  const results = Object.entries({ 'raw ws': 1, ...ratios }).map(([name, ratio]) => ({
    name,
    values: {},
    ratios: { [figure]: spread(ratio) },
  }));
  return { title, figures: [], results };
}

test('everybody has a row, and a bar to the side of raw that it is on', () => {
  const picture = peersPicture([
    sectionOf('terminal, up, 100 a turn: what each end can carry', 'capacity', { 'holdfast.v1': 4, other: 0.25 }),
    sectionOf('round trips, 100 in flight', 'perSecond', { other: 1_000 }),
  ]);
  expect(picture.match(/<rect class="own"/g)).toHaveLength(1);
  expect(picture).toContain('<rect class="own" x="319.0" y="100" width="23.0"');
  expect(picture).toContain('<rect class="bar" x="296.0" y="126" width="23.0"');
  // as long as can be, and no longer
  expect(picture).toContain('width="46.0"');
  expect(picture).not.toContain('raw ws<');
});
