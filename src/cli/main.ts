#!/usr/bin/env node
import manifest from '../../package.json' with { type: 'json' };
import { command } from './command.ts';

const DEFAULT_WIDTH = 80;

const { stdout, stderr } = process;
const interruption = new AbortController();
const interrupt = (): void => {
  interruption.abort();
};
process.once('SIGINT', interrupt);
// a reader that went away, as `head` does
stdout.on('error', interrupt);

void command(
  process.argv.slice(2),
  {
    print: (text) => stdout.write(text),
    complain: (text) => stderr.write(text),
    width: stdout.columns || DEFAULT_WIDTH,
    isColoured: stdout.isTTY && !process.env['NO_COLOR'],
    isPiped: !stdout.isTTY,
    isWatched: stderr.isTTY,
    signal: interruption.signal,
  },
  { version: manifest.version, loadWebSocket: async () => (await import('ws')).WebSocket },
).then((code) => {
  // a lookup that the system has not answered would keep the process
  stdout.write('', () => process.exit(code));
});
