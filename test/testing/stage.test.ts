import { describe, expect, test } from 'vitest';

import { Chance } from '../../src/testing/chance.ts';
import { Stage, TRAITS, type Trait } from '../../src/testing/stage.ts';

function staged(seed: number, traits: readonly Trait[] = []): Stage {
  return new Stage(new Chance(seed), { traits: new Set(traits) });
}

describe('a stage', () => {
  test('is a function of its chance', () => {
    const seen = ({ settings, apps, nodes }: Stage): unknown => [
      settings.retry,
      settings.wire,
      apps.length,
      nodes.length,
    ];
    expect(seen(staged(5))).toEqual(seen(staged(5)));
    const all = Array.from({ length: 60 }, (_, seed) => staged(seed));
    expect(new Set(all.map(({ settings }) => settings.wire))).toEqual(new Set(['required', 'prefer', 'plain']));
    expect(new Set(all.map(({ apps }) => apps.length))).toEqual(new Set([1, 2, 3]));
    // with whom nobody prefers a better wire there are no servers of it
    for (const { nodes, plain } of all) expect(nodes.length).toBe(plain ? 0 : 2);
  });

  test('opens its connections, and talks both ways', async () => {
    const stage = staged(3);
    stage.start();
    await stage.pass(5_000);
    const chance = new Chance(1);
    for (let count = 0; count < 20; count++) {
      for (const app of stage.apps) app.send(chance);
      for (const app of stage.serverApps) app.send(chance);
    }
    await stage.pass(5_000);
    expect(stage.apps.map(({ unrest }) => unrest)).toEqual(stage.apps.map(() => null));
    expect([stage.book.open, stage.history.breach]).toEqual([null, undefined]);
  });

  test.each(TRAITS)('is another with %s, and the same again when it is calm', async (trait) => {
    const stage = staged(3, [trait]);
    stage.start();
    await stage.pass(20_000);
    stage.calm();
    await stage.pass(60_000);
    expect([stage.network.pace, stage.store.paceMs]).toEqual([{ least: 1, most: 5 }, 2]);
    expect(stage.apps.map(({ unrest }) => unrest)).toEqual(stage.apps.map(() => null));
  });

  test('leaves nobody with the hostile server when it is calm', async () => {
    const stage = staged(3);
    stage.isHijacked = true;
    stage.start();
    await stage.pass(100);
    const hostile = (): number => stage.network.live.filter(({ host }) => host.name === 'hostile').length;
    expect(hostile()).toBeGreaterThan(0);
    stage.calm();
    await stage.pass(10);
    expect(hostile()).toBe(0);
  });

  test('keeps an audit log of the client', async () => {
    const stage = staged(3);
    stage.start();
    await stage.pass(1_000);
    void stage.service.destroy();
    await stage.pass(10_000);
    const closing = stage.closeAudit();
    await stage.pass(1_000);
    await closing;
    expect(stage.audit.length).toBeGreaterThan(20);
    expect(stage.audit.at(-1)).toContain('"kind":"closed"');
  });
});
