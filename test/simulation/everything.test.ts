import { describe } from 'vitest';

import { keepEveryPromise } from './portions.ts';

describe('the client and the server on both wires, with everything that fails', () => {
  keepEveryPromise('everything');
});
