import { brotliCompressSync, gzipSync } from 'node:zlib';

import { bundledForBrowser } from '../browser-bundle.ts';
import { alone, type Comparison } from '../rounds.ts';
import type { Section } from '../section.ts';

/** The least that somebody needs who connects with it. */
const USES: readonly (readonly [name: string, code: string])[] = [
  ['holdfast', "export { EnhancedWebSocketService } from 'holdfast'"],
  ['xstate alone', "export { setup, createActor, assign, fromCallback } from 'xstate'"],
  ['pako alone', "export { Deflate, Inflate } from 'pako'"],
  ['reconnecting-websocket', "export { default } from 'reconnecting-websocket'"],
  ['partysocket', "export { WebSocket } from 'partysocket'"],
  ['websocket-ts', "export { WebsocketBuilder } from 'websocket-ts'"],
  ['socket.io-client', "export { io } from 'socket.io-client'"],
  ['graphql-ws', "export { createClient } from 'graphql-ws'"],
  ['mqtt', "export { default } from 'mqtt'"],
];

/** How large everybody is in a browser. */
export async function sizesSection(): Promise<Section> {
  const results: Comparison[] = [];
  for (const [name, contents] of USES) {
    const code = await bundledForBrowser({
      stdin: { contents, resolveDir: import.meta.dirname },
      // what is only loaded when somebody asks for it
      external: name === 'holdfast' ? ['pako'] : [],
    });
    const kB = (bytes: Uint8Array): number => bytes.length / 1_000;
    results.push(
      alone(name, [{ min: kB(code), gzip: kB(gzipSync(code, { level: 9 })), brotli: kB(brotliCompressSync(code)) }]),
    );
  }
  const own = results[0]?.values['brotli']?.median ?? Number.NaN;
  return {
    title: 'what a browser has to load',
    figures: ['min', 'gzip', 'brotli'].map((key) => ({ key, heading: `${key} kB`, digits: 1, isBare: true })),
    results,
    bars: [{ name: 'holdfast with xstate, brotli kB', value: own, most: 26, goal: 22 }],
  };
}
