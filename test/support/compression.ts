import { loadCompression } from '../../src/protocol/compressed-frames.ts';

export const makeCompression = await loadCompression();
