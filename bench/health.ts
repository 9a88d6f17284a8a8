import { benchIdle } from './health-cost.ts';
import { benchLinks } from './health-links.ts';
import { benchTraffic } from './health-traffic.ts';
import { keepResults } from './keeping.ts';
import type { Section } from './section.ts';

/** What health monitoring costs, and what it knows of links of which everything is known. Takes about a quarter of an hour. Writes `bench/results/health.*` as well. */
export async function benchHealth(report: (section: Section) => void): Promise<void> {
  const sections: Section[] = [];
  for (const bench of [benchTraffic, benchIdle, benchLinks]) {
    const told = await bench();
    for (const section of [told].flat()) {
      sections.push(section);
      report(section);
    }
  }
  keepResults(ACCOUNT, sections);
}

const ACCOUNT = {
  name: 'health',
  title: 'What health monitoring costs and knows',
  notes: `Medians, then the least and the most. Everything is at its default: a probe each 25 s, late after 2.5 s, overdue after 10 s, slow from 500 ms on.

- **Bursts**: monitored and not monitored in turn; in brackets each round against those without just before and after it.
- **Idle connections**: all cells at once, in a process each, for 50 s, which is two intervals; CPU and bytes by the connection, scaled to the
  hour and the minute. \`ws that ping\` are bare ones, as often and with nothing else: a process that wakes up rarely pays for that with each probe, whoever
  sends it. On \`holdfast.v1\` a client that is not monitored pings too, because the server asks for it.
- **Links**: in-process, over a TCP proxy of the given round trip. The truth is what the proxy did: the medians of both ways together. \`flaps\` are the
  changes between \`open\` and \`degraded\`. A hole lasts 10 to 19 s after the link was given up; what enters it is lost for good, attempts to connect
  included, so that \`open again\` has the rest of \`connectTimeoutMs\` and a backoff in it. An empty cell did not happen within 120 s.`,
};
