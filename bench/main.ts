// `npm run bench` puts everybody side by side; `-- <name>` looks at one thing, `-- --json` prints figures for programs. `-- --quick` looks whether ours has fallen behind what it was, and `--quick --write` keeps it; `-- --verify` checks what is promised.
import { benchAudit } from './audit.ts';
import { benchAuditVerify } from './audit-verify.ts';
import { benchBrowser } from './browser.ts';
import { benchEndurance } from './endurance.ts';
import { benchFloors } from './floors.ts';
import { benchGrowth } from './growth.ts';
import { benchHealth } from './health.ts';
import { benchHerd } from './herd.ts';
import { benchOutbox } from './outbox.ts';
import { benchPeers } from './peers.ts';
import { benchQuick } from './quick.ts';
import { printed, type Section } from './section.ts';
import { benchSupervision } from './supervision.ts';
import { benchVerify } from './verify.ts';
import { benchWire } from './wire.ts';

/** A bench hands over each section as soon as it has it. */
type Bench = (report: (section: Section) => void) => Promise<void>;

const BENCHES = new Map<string, Bench>([
  ['audit', benchAudit],
  ['audit-verify', benchAuditVerify],
  ['browser', benchBrowser],
  ['endurance', benchEndurance],
  ['floors', benchFloors],
  ['growth', benchGrowth],
  ['health', benchHealth],
  ['herd', benchHerd],
  ['outbox', benchOutbox],
  ['peers', benchPeers],
  ['supervision', benchSupervision],
  ['wire', benchWire],
]);
const FLAGS = ['--json', '--quick', '--verify', '--write'];

const given = process.argv.slice(2);
const flags = given.filter((word) => word.startsWith('--'));
const [name = 'peers', ...others] = given.filter((word) => !word.startsWith('--'));
const bench = BENCHES.get(name);
if (!bench || others.length > 0 || flags.some((flag) => !FLAGS.includes(flag))) {
  const names = [...BENCHES.keys()].join(', ');
  console.error(
    `usage: npm run bench [-- <name>] [--json] | --quick [--write] | --verify, where the name is one of: ${names}`,
  );
  process.exit(2);
}

if (flags.includes('--verify')) {
  const broken = await benchVerify();
  for (const what of broken) console.error(`BROKEN: ${what}`);
  process.exitCode = broken.length > 0 ? 1 : 0;
} else if (flags.includes('--quick')) {
  const fallen = await benchQuick({ isWriting: flags.includes('--write') });
  for (const what of fallen) console.error(`FALLEN: ${what}`);
  process.exitCode = fallen.length > 0 ? 1 : 0;
} else if (flags.includes('--json')) {
  const sections: Section[] = [];
  await bench((section) => sections.push(section));
  console.log(JSON.stringify(sections, null, 2));
} else {
  await bench((section) => {
    console.log(`\n${printed(section)}`);
  });
}
