import { benchAudit } from './audit.ts';
import { benchAuditVerify } from './audit-verify.ts';
import { benchHealth } from './health.ts';
import { benchHerd } from './herd.ts';
import { benchOutbox } from './outbox.ts';
import { printed, type Section } from './section.ts';
import { benchSupervision } from './supervision.ts';
import { benchWire } from './wire.ts';

/** A bench hands over each section as soon as it has it. */
type Bench = (report: (section: Section) => void) => Promise<void>;

const BENCHES = new Map<string, Bench>([
  ['audit', benchAudit],
  ['audit-verify', benchAuditVerify],
  ['health', benchHealth],
  ['herd', benchHerd],
  ['outbox', benchOutbox],
  ['supervision', benchSupervision],
  ['wire', benchWire],
]);

const [name = '', ...flags] = process.argv.slice(2);
const bench = BENCHES.get(name);
if (!bench || flags.some((flag) => flag !== '--json')) {
  const names = [...BENCHES.keys()].join(', ');
  console.error(`usage: npm run bench -- <name> [--json], where the name is one of: ${names}`);
  process.exit(2);
}

if (flags.length > 0) {
  const sections: Section[] = [];
  await bench((section) => sections.push(section));
  console.log(JSON.stringify(sections, null, 2));
} else {
  await bench((section) => {
    console.log(`\n${printed(section)}`);
  });
}
