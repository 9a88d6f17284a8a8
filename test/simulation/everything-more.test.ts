import { describe } from 'vitest';

import { keepEveryPromise } from './portions.ts';

// beside the other file, on the other core
describe('the client and the server on both wires, with everything that fails, again', () => {
  keepEveryPromise('everything', 1);
});
