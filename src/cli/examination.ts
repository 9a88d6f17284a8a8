import { readAddress } from './address.ts';
import {
  headerOf,
  isUnexplained,
  judgeAnswer,
  judgeClock,
  judgeCompression,
  judgeSubprotocol,
  type Answer,
} from './answer.ts';
import { WIRE } from './conduct.ts';
import { shakeHands, type WebSocketClass } from './handshake.ts';
import { Journal } from './journal.ts';
import { observe } from './observation.ts';
import type { DoctorOptions } from './options.ts';
import { travel, type Passage } from './passage.ts';
import type { Scene } from './scene.ts';
import { secretsOf, shownUrl, tameText } from './secrecy.ts';
import { verdictOf, type Examination, type Finding, type Step } from './step.ts';
import type { Visit } from './visit.ts';

/** What an examination works with. */
export interface Means {
  WebSocket: WebSocketClass;
  /** As whom it presents itself. */
  userAgent: string;
  /** Ends it early. */
  signal: AbortSignal;
  onStep: (step: Step) => void;
}

/** Examines an endpoint, within its time. Whatever comes of it, the connections are gone when it resolves. */
export async function examine(options: DoctorOptions, means: Means): Promise<Examination> {
  const startedAt = new Date().toISOString();
  const begunAt = performance.now();
  const journal = new Journal(means.onStep, () => performance.now());
  const { target, ...address } = readAddress(options.url);
  journal.note('address', address);
  if (target) {
    const ending = new AbortController();
    const timer = setTimeout(() => ending.abort(), options.timeoutMs + options.idleMs);
    const signal = AbortSignal.any([means.signal, ending.signal]);
    const secrets = secretsOf(target.url, options);
    await walk({ ...means, target, options, journal, signal, tame: (text) => tameText(text, secrets) });
    clearTimeout(timer);
  }
  journal.skipTo(null);
  const { steps } = journal;
  const durationMs = Math.round(performance.now() - begunAt);
  const url = target ? shownUrl(target.url) : '';
  return { url, startedAt, durationMs, verdict: verdictOf(steps), steps };
}

async function walk(scene: Scene): Promise<void> {
  const passage = await travel(scene);
  if (!passage) return;
  const { answer, visit } = await ask(scene, passage);
  try {
    if (visit) await observe(scene, visit, headerOf(answer, 'sec-websocket-protocol') === WIRE);
  } finally {
    await visit?.leave();
  }
  scene.journal.skipTo('clock');
  scene.journal.note('clock', judgeClock(answer));
}

async function ask(scene: Scene, passage: Passage): Promise<{ answer: Answer; visit: Visit | null }> {
  const { journal, options, target, tame } = scene;
  const wanted = options.protocols;
  const offered = [...new Set([WIRE, ...wanted])];
  const judged = { url: target.url, offered, wanted, tame };
  const found = await journal.take('handshake', async () => {
    const first = await shakeHands({
      ...scene,
      ...options,
      url: target.url,
      stream: passage.stream,
      protocols: offered,
    });
    const finding = judgeAnswer(first.answer, judged);
    if (!isUnexplained(first.answer) || wanted.includes(WIRE)) return { ...finding, ...first, offered };
    // some servers refuse whoever offers a name that they do not know
    const stream = await passage.again();
    const second = stream && (await shakeHands({ ...scene, ...options, url: target.url, stream, protocols: wanted }));
    if (!second?.visit) return { ...finding, ...first, offered };
    return { ...judgeRefusedName(first.answer, judgeAnswer(second.answer, judged)), ...second, offered: wanted };
  });
  if (found.visit) {
    journal.note('subprotocol', judgeSubprotocol(found.answer, { ...judged, offered: found.offered }));
    journal.note('compression', judgeCompression(found.answer, tame));
  }
  return found;
}

function judgeRefusedName({ status }: Answer, finding: Finding): Finding {
  return {
    ...finding,
    detail: `${finding.detail}; but ${status ?? 'a refusal'} where ${WIRE} is offered`,
    facts: { ...finding.facts, refusedWire: status },
    advice: `The server refuses names of subprotocols that it does not know. For Holdfast clients: wire: 'plain' saves them an attempt.`,
  };
}
