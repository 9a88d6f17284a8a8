import { expect, test } from 'vitest';

import * as machines from '../../machines/index.ts';
import { machinesOf } from '../../visualizations/drawings.ts';
import { tabledMachines } from '../support/coverage-table.ts';

test('every machine has a model, and its row in the table', () => {
  expect(tabledMachines()).toEqual(machinesOf(machines).map(({ id }) => id));
});
