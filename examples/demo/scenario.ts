import type { EnhancedWebSocketService, OutboxCounts } from 'holdfast';

import { reasonText, type Account } from './account.ts';
import { Audit, type AuditFigures } from './audit.ts';
import { Cable } from './cable.ts';
import { chanceOf } from './chance.ts';
import { createClient, messageOf, RETRY, SERVICE_NAMES, WANTED, type ServiceName } from './client.ts';
import type { Handshake } from './gate.ts';
import { keepHistories, type Retry } from './history.ts';
import { HURTS, PROGRAMME, type HurtKind } from './hurts.ts';
import type { SecretScan } from './secret-scan.ts';
import { storm, type Storm } from './storm.ts';
import { Subject } from './subject.ts';
import { duration } from './table.ts';
import { Issuer, type Grant } from './tokens.ts';
import { pause, until } from './wait.ts';

const CONNECT_WITHIN_MS = 10_000;
const SEND_EVERY_MS = 50;
const HOPELESS_MS = 1_500;
const BETWEEN_HURTS_MS = 700;
const PATIENCE_MS = 2_000;
const MARGIN_MS = 100;
const QUIET_WITHIN_MS = 5_000;
const FAREWELLS = 5;

/** What one hurt led to. Times in ms. */
export interface Wound {
  kind: HurtKind;
  name: ServiceName;
  /** From the hurt to the loss of the socket; `null` when it was not lost. */
  noticedMs: number | null;
  /** The error's code. */
  noticedAs: string | null;
  /** How long the server could not serve. */
  awayMs: number;
  /** From then to a socket on which messages came back; `null` when there was none in time. */
  recoveredMs: number | null;
  retries: readonly Retry[];
  /** How many connections were accepted only to be closed at once. */
  turnedAway: number;
  /** What its server answered to the attempts. */
  handshakes: readonly Handshake[];
  /** The tokens that its provider was asked for. */
  grants: readonly Grant[];
  /** The socket that was hurt, and the one that came after all of it. */
  generations: readonly [hurt: number, healed: number];
}

/** Everything that is known when the demo is over. */
export interface Course {
  subjects: readonly Subject[];
  storm: Storm;
  wounds: readonly Wound[];
  scan: SecretScan;
  audit: AuditFigures;
  /** How many messages waited for a server that never came back when the service was destroyed. */
  farewells: number;
  /** What the library itself counted. */
  counts: Record<ServiceName, OutboxCounts & { received: number }>;
  destroyedInMs: number;
  /** What still keeps the process alive. */
  leftovers: readonly string[];
  elapsedMs: number;
}

interface Stage {
  subjects: Record<ServiceName, Subject>;
  /** Between the client and the chat server. */
  cable: Cable;
  service: EnhancedWebSocketService;
  account: Account;
  signal: AbortSignal;
  seed: number;
  scan: SecretScan;
}

export interface PlayOptions {
  signal: AbortSignal;
  /** What everything random is drawn from. */
  seed: number;
  /** Is told the secrets, and all that the library tells. */
  scan: SecretScan;
  /** Where the audit log is written to as well. */
  auditPath: string | undefined;
}

/** Plays the whole demo. Whatever happens, no server process outlives it. Rejects when the signal is aborted. */
export async function play(account: Account, { signal, seed, scan, auditPath }: PlayOptions): Promise<Course> {
  const startedAt = performance.now();
  const before = process.getActiveResourcesInfo();
  const issuer = issuerFor('main', { account, scan });
  const subjects: Record<ServiceName, Subject> = {
    terminal: new Subject('terminal'),
    chat: new Subject('chat'),
    main: new Subject('main', issuer),
  };
  const all = SERVICE_NAMES.map((name) => subjects[name]);
  const cable = new Cable(() => subjects.chat.endpoint.port);
  const abandon = (): void => {
    for (const { endpoint } of all) endpoint.abandon();
  };
  // the last net: an exception that nobody caught ends here, too
  process.once('exit', abandon);
  signal.addEventListener('abort', abandon, { once: true });
  let service: EnhancedWebSocketService | undefined;
  let audit: Audit | undefined;
  try {
    await startServers(all, account);
    await cable.start();
    service = createClient(
      { ...urlsOf(subjects), chat: cable.url },
      { random: chanceOf(seed), credentials: (request) => issuer.grant(request) },
    );
    audit = new Audit(service, { scan, path: auditPath });
    const stage = { subjects, cable, service, account, signal, seed, scan };
    await connect(stage);
    const stormed = await storm(subjects.chat, cable, stage);
    subjects.chat.keepSending(SEND_EVERY_MS);
    const wounds = await hurtAll(stage);
    await fallSilent(stage);
    const { farewells, destroyedInMs } = await end(stage);
    const audited = await audit.end();
    account.rest();
    await Promise.all([cable.stop(), ...all.map(({ endpoint }) => endpoint.kill())]);
    return {
      subjects: all,
      storm: stormed,
      wounds,
      scan,
      audit: audited,
      farewells,
      counts: countsOf(subjects),
      destroyedInMs,
      leftovers: await leftoversSince(before, signal),
      elapsedMs: performance.now() - startedAt,
    };
  } finally {
    account.rest();
    for (const subject of all) subject.fallSilent();
    await Promise.all([
      service?.destroy({ deadlineMs: 0 }),
      audit?.abandon(),
      cable.stop(),
      ...all.map(({ endpoint }) => endpoint.kill()),
    ]);
    process.off('exit', abandon);
  }
}

// tells of each token without telling it
function issuerFor(name: ServiceName, { account, scan }: { account: Account; scan: SecretScan }): Issuer {
  const issuer = new Issuer(({ number, lastFailure }, token) => {
    scan.plant(token);
    if (lastFailure) scan.searchTold(lastFailure);
    account.tell(name, `its provider gives token ${number}${lastFailure ? `, told ${reasonText(lastFailure)}` : ''}`);
  });
  scan.plant(issuer.key);
  return issuer;
}

async function startServers(subjects: readonly Subject[], account: Account): Promise<void> {
  account.announce('three servers start, each in a process of its own');
  await Promise.all(
    subjects.map(async ({ name, endpoint }) => {
      await endpoint.start();
      account.tell(name, `listens at ${endpoint.url} (process ${endpoint.pid ?? '?'})`);
    }),
  );
}

async function connect({ subjects, service, account, signal, scan }: Stage): Promise<void> {
  account.announce('the client connects and sends 20 messages a second to each');
  keepHistories(service, (name) => subjects[name].history);
  account.follow(service);
  scan.follow(service);
  account.breakSilences(() => standing(Object.values(subjects)));
  for (const subject of Object.values(subjects)) {
    const { name } = subject;
    subject.use(service, await service.connect({ ...WANTED[name], timeoutMs: CONNECT_WITHIN_MS, signal }));
    const sentAt = performance.now();
    subject.send();
    account.tell(name, `sends ${JSON.stringify(messageOf(name, 1))}`);
    const answered = await until(() => subject.ledger.lastEchoAt > 0, { withinMs: PATIENCE_MS, signal });
    if (!answered) throw new Error(`The ${name} server did not echo the first message.`);
    account.tell(name, `and has it back after ${duration(subject.ledger.lastEchoAt - sentAt)}`);
  }
  for (const subject of Object.values(subjects)) subject.keepSending(SEND_EVERY_MS);
}

async function hurtAll(stage: Stage): Promise<Wound[]> {
  const wounds: Wound[] = [];
  for (const { kind, name } of PROGRAMME) {
    wounds.push(await hurt(stage, kind, name));
    await pause(BETWEEN_HURTS_MS, stage.signal);
  }
  return wounds;
}

async function hurt({ subjects, account, signal }: Stage, kind: HurtKind, name: ServiceName): Promise<Wound> {
  const { endpoint, history, ledger, issuer } = subjects[name];
  const { title, openWithinMs, inflict } = HURTS[kind];
  // a connection that was just made has proved nothing yet: its loss would belong to the episode before
  const isStable = (): boolean => history.isUsable && performance.now() - history.openedAt > RETRY.stableMs + MARGIN_MS;
  await until(isStable, { withinMs: RETRY.stableMs + PATIENCE_MS, signal });
  const { generation, drops, retries } = history;
  const [dropsBefore, retriesBefore, turnedAwayBefore] = [drops.length, retries.length, endpoint.turnedAway];
  const [handshakesBefore, grantsBefore] = [endpoint.handshakes.length, issuer?.grants.length];
  account.announce(`${name}: ${title}`);
  const at = performance.now();
  await inflict(endpoint, signal);
  const ableAt = performance.now();
  // an echo proves more than a state does: the socket is a new one, and the application behind it answers
  const isHealed = (): boolean =>
    history.isUsable && history.generation > generation && ledger.lastEchoAt > Math.max(ableAt, history.openedAt);
  const healed = await until(isHealed, { withinMs: openWithinMs + PATIENCE_MS, signal });
  const noticed = drops[dropsBefore];
  const recoveredMs = healed ? Math.max(0, Math.round(history.openedAt - ableAt)) : null;
  account.tell(name, account.paint(healed ? 'green' : 'red', outcomeText(recoveredMs, ableAt - at)));
  return {
    kind,
    name,
    noticedMs: noticed ? Math.round(noticed.at - at) : null,
    noticedAs: noticed?.code ?? null,
    awayMs: Math.round(ableAt - at),
    recoveredMs,
    retries: retries.slice(retriesBefore),
    turnedAway: endpoint.turnedAway - turnedAwayBefore,
    handshakes: endpoint.handshakes.slice(handshakesBefore),
    grants: issuer?.grants.slice(grantsBefore) ?? [],
    generations: [generation, history.generation],
  };
}

function outcomeText(recoveredMs: number | null, awayMs: number): string {
  if (recoveredMs === null) return 'did not recover';
  // what takes no time to do needs no mention of how long it took
  return awayMs < 100
    ? `recovered after ${duration(recoveredMs)}`
    : `recovered ${duration(recoveredMs)} after the server (away for ${duration(awayMs)})`;
}

// the streams stop, and everything that is under way arrives
async function fallSilent({ subjects, account, signal }: Stage): Promise<void> {
  const all = Object.values(subjects);
  for (const subject of all) subject.fallSilent();
  const isQuiet = ({ ledger, history }: Subject): boolean =>
    ledger.pending === 0 && ledger.unreportedOn(history.generation) === 0;
  await until(() => all.every(isQuiet), { withinMs: QUIET_WITHIN_MS, signal });
  account.tell('', account.paint('gray', standing(all)));
}

// destroying a service while one connection is open and another hopes for a server that is gone
async function end({
  subjects,
  service,
  account,
  signal,
  scan,
}: Stage): Promise<{ farewells: number; destroyedInMs: number }> {
  const { endpoint, history, name } = subjects.terminal;
  account.announce(`${name}: the server process is killed for good`);
  await endpoint.kill();
  await until(() => !history.isUsable, { withinMs: PATIENCE_MS, signal });
  for (let sent = 0; sent < FAREWELLS; sent += 1) subjects.terminal.send();
  account.tell(name, `${FAREWELLS} more messages wait for it`);
  await pause(HOPELESS_MS, signal);
  account.announce('destroy(): everything ends, what waits is answered');
  scan.searchTold([service.getErrorHistory(), service.getErrorStatistics(), service.getConnections()]);
  const at = performance.now();
  await service.destroy();
  return { farewells: FAREWELLS, destroyedInMs: performance.now() - at };
}

function standing(subjects: readonly Subject[]): string {
  const sums = subjects.map(({ ledger }) => ledger.sums);
  const total = (field: 'accepted' | 'delivered' | 'echoed'): number => sums.reduce((sum, one) => sum + one[field], 0);
  const waiting = subjects.reduce((sum, { ledger }) => sum + ledger.pending, 0);
  return `${total('accepted')} sent, ${total('delivered')} delivered, ${total('echoed')} back, ${waiting} waiting`;
}

function urlsOf(subjects: Record<ServiceName, Subject>): Record<ServiceName, string> {
  const { terminal, chat, main } = subjects;
  return { terminal: terminal.endpoint.url, chat: chat.endpoint.url, main: main.endpoint.url };
}

function countsOf({ terminal, chat, main }: Record<ServiceName, Subject>): Course['counts'] {
  return {
    terminal: terminal.connection.status.messages,
    chat: chat.connection.status.messages,
    main: main.connection.status.messages,
  };
}

async function leftoversSince(before: readonly string[], signal: AbortSignal): Promise<string[]> {
  const present = (): string[] => {
    const known = [...before];
    return process.getActiveResourcesInfo().filter((resource) => {
      const index = known.indexOf(resource);
      if (index >= 0) known.splice(index, 1);
      return index < 0;
    });
  };
  // what was closed a moment ago is let go of a turn or two later
  await until(() => present().length === 0, { withinMs: PATIENCE_MS, signal });
  return present();
}
