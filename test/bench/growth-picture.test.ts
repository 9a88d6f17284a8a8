import { expect, test } from 'vitest';

import { countText, growthPicture, lifeTitle, spreadTitle } from '../../bench/growth-picture.ts';
import type { Section } from '../../bench/section.ts';

const spread = (median: number) => ({ median, least: median, most: median });

function lifeOf(name: string, starts: readonly number[]): Section {
  const results = starts.map((start, index) => ({
    name: countText(10 ** index),
    values: { start: spread(start), recover: spread(Number.NaN) },
    ratios: {},
  }));
  return { title: lifeTitle(name), figures: [], results };
}

test('each candidate has a curve over the number of connections, in a scale that begins at nothing', () => {
  const picture = growthPicture([lifeOf('raw ws', [50, 100]), lifeOf('holdfast.v1', [400, 200])]);
  expect(picture).toContain('>raw ws</text>');
  expect(picture).toContain('>holdfast.v1</text>');
  // of the scale of 0 to 400, an eighth and a quarter; all of it and half
  expect(picture).toContain('<polyline class="curve c0" points="73.6,250.8 294.4,231.5"/>');
  expect(picture).toContain('<polyline class="curve c1" points="73.6,116.0 294.4,193.0"/>');
  expect(picture).toContain('>1</text>');
  expect(picture).toContain('>10</text>');
});

test('what was not measured has no points', () => {
  expect(growthPicture([lifeOf('raw ws', [50, 100])])).toContain('<polyline class="curve c0" points=""/>');
});

test('throughput is drawn by the titles of its sections', () => {
  const carried = (connections: number, capacity: number): Section => ({
    title: spreadTitle(connections),
    figures: [],
    results: [{ name: 'raw ws', values: { capacity: spread(capacity) }, ratios: {} }],
  });
  const picture = growthPicture([lifeOf('raw ws', [1]), carried(1, 100_000), carried(1_000, 50_000)]);
  expect(picture).toContain('>1,000</text>');
  expect(picture).toContain('>100,000</text>');
});
