import type { Mutant } from './mutant.ts';

/** Rules of what is pure, broken one at a time. */
export const CORE_MUTANTS: readonly Mutant[] = [
  {
    what: 'jitter comes before the cap: all clients at the cap come back at once',
    file: 'src/core/backoff.ts',
    from: 'between(policy.baseMs, ceilingMs(policy, step), draw)',
    to: 'Math.min(policy.capMs, between(policy.baseMs, policy.baseMs * 2 ** Math.min(step, 31), draw))',
    tests: ['test/core/backoff'],
  },
  {
    what: 'a wait is shorter than the peer asked for',
    file: 'src/core/backoff.ts',
    from: 'Math.round(Math.max(delayMs, leastMs))',
    to: 'Math.round(delayMs)',
    tests: ['test/core/backoff'],
  },
  {
    what: 'all clients that were told the same time come back at the same instant',
    file: 'src/core/backoff.ts',
    from: 'retryAfterMs + draw * spreadMs',
    to: 'retryAfterMs',
    tests: ['test/core/backoff'],
  },
  {
    what: 'a wait is longer than a timer can hold',
    file: 'src/core/backoff.ts',
    from: 'MAX_DELAY_MS = 2 ** 31 - 1',
    to: 'MAX_DELAY_MS = 2 ** 32',
    tests: ['test/core/backoff'],
  },
  {
    what: 'a gap in what arrives is not seen',
    file: 'src/core/ledger.ts',
    from: '    if (first > this.#handed + 1) return null;\n',
    to: '',
    tests: ['test/core/ledger'],
  },
  {
    what: 'what was handed over is handed over again',
    file: 'src/core/ledger.ts',
    from: 'if (last <= this.#handed) return count;',
    to: 'if (last <= this.#handed) return 0;',
    tests: ['test/core/ledger'],
  },
  {
    what: 'an acknowledgement comes before the application has what it acknowledges',
    file: 'src/core/ledger.ts',
    from: 'while (this.#early.delete(this.#accepted + 1)) this.#accepted += 1;',
    to: 'this.#accepted = position;',
    tests: ['test/core/ledger'],
  },
  {
    what: 'an acknowledgement of what was never sent is taken',
    file: 'src/core/ledger.ts',
    from: '    if (count > this.size) return null;\n',
    to: '',
    tests: ['test/core/ledger'],
  },
  {
    what: 'a new session goes on with the positions of the old one',
    file: 'src/core/ledger.ts',
    from: 'this.#head = this.#acknowledged = this.#bytes = 0;',
    to: 'this.#head = this.#bytes = 0;',
    tests: ['test/core/ledger'],
  },
  {
    what: 'the window is not bounded by bytes',
    file: 'src/core/ledger.ts',
    from: 'this.size < messages && this.#bytes < bytes',
    to: 'this.size < messages',
    tests: ['test/core/ledger'],
  },
];
