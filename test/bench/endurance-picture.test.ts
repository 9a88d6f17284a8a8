import { expect, test } from 'vitest';

import { endurancePicture } from '../../bench/endurance-picture.ts';

test('both ends have a curve over the minutes', () => {
  const memories = Array.from({ length: 10 }, (_, minute) => ({ heap: 20, serverHeap: 10 + minute }));
  const picture = endurancePicture(memories);
  expect(picture).toContain('>1 min</text>');
  expect(picture).toContain('>10 min</text>');
  const [server, client] = [...picture.matchAll(/<polyline class="curve c\d" points="([^"]* [^"]* [^"]*)"/g)].map(
    ([, points]) => points?.split(' ').map((point) => Number(point.split(',')[1])),
  );
  // less is further down
  expect(server?.[0]).toBeGreaterThan(server?.[9] ?? 0);
  expect(new Set(client).size).toBe(1);
});
