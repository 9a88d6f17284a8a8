import { WireClose } from '../protocol/close-codes.ts';
import { VERSION, type ClientFrame, type FrameFrom, type ServerFrame } from '../protocol/frames.ts';
import { ProtocolViolation } from '../protocol/violation.ts';
import { Conversation } from './conversation.ts';
import type { Agreement } from './deflation.ts';
import { Lease } from './lease.ts';
import type { Link, LinkReader } from './link.ts';
import type { LiveSession, SessionOwner } from './live-session.ts';
import type { Credentials, Identity, ServerSettings } from './options.ts';
import type { Registry } from './registry.ts';
import type { OwnedSession, ResumeRefusal, SessionStore } from './store.ts';
import { hashOf, nameFrom, tokenFrom } from './tokens.ts';

type Hello = Extract<ClientFrame, { t: 'hello' }>;
type Welcome = Extract<ServerFrame, { t: 'welcome' }>;

export interface AdmissionOptions {
  link: Link;
  settings: ServerSettings;
  store: SessionStore;
  registry: Registry;
  /** Enters a session that the store gave to this node, and shows it to the application. */
  enter: (owner: SessionOwner, owned: OwnedSession) => LiveSession;
  /** Agrees on how frames are compressed, of what was offered and is wanted. */
  agree: (offered: readonly string[], wanted: readonly string[]) => Agreement;
  /** The client has been welcomed. */
  welcomed: () => void;
  authenticate: (credentials: Credentials) => Identity | null | Promise<Identity | null>;
  /** Ms on a clock that never runs backwards. */
  now: () => number;
  fault: (cause: unknown) => void;
}

interface Claimed {
  owned: OwnedSession;
  owner: SessionOwner;
  token: string;
  isResumed: boolean;
}

/** What a client said in its hello, and what came of it. */
interface Newcomer {
  hello: Hello;
  lease: Lease;
  request: Pick<Credentials, 'meta' | 'request'>;
}

/** The way of a socket from its greeting to a session: one `hello`, and nothing else before the `welcome`. */
export class Admission implements LinkReader {
  readonly #options: AdmissionOptions;
  // what the greeting has told, once it is said; both sides must have a capability for it to be used
  #caps: readonly string[] | undefined;
  #hasHello = false;
  // why the client cannot have the session that it had
  #refusal: ResumeRefusal | undefined;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Whether the client has said who it is. */
  get hasHello(): boolean {
    return this.#hasHello;
  }

  /** Says who is here and what it can do: only this proves that the protocol is spoken. */
  greet(caps: readonly string[]): void {
    const { link, settings, now } = this.#options;
    this.#caps = caps;
    link.send({ t: 'srv', v: [VERSION], node: settings.node, caps: [...caps], ...announced(settings), now: now() });
  }

  received(frame: FrameFrom<'client'>): void {
    if (!this.#caps) throw new ProtocolViolation('a frame came before srv');
    if (frame.t !== 'hello') throw new ProtocolViolation('a frame came before hello');
    if (this.#hasHello) throw new ProtocolViolation('a second hello');
    this.#hasHello = true;
    const { link, fault } = this.#options;
    if (frame.v !== VERSION) {
      link.close(WireClose.noCommonVersion, `version ${frame.v} is not spoken here`);
      return;
    }
    this.#admit(frame).catch((cause: unknown) => {
      fault(cause);
      link.fail({
        closeCode: WireClose.serverFault,
        code: 'SERVER_FAULT',
        message: 'a fault of the server',
        temporary: true,
      });
    });
  }

  lost(): void {
    // whatever is under way looks whether the link is open
  }

  async #admit(hello: Hello): Promise<void> {
    const { link, settings, authenticate } = this.#options;
    const { auth, meta = {}, resume } = hello;
    const request = { meta, request: link.request };
    const identity = await authenticate({ auth, ...request, resume: resume !== undefined });
    if (!link.isOpen) return;
    if (!identity) {
      link.close(WireClose.authRejected, 'the credentials were rejected');
      return;
    }
    const lease = new Lease(identity.expiresAt, settings.clock.now());
    link.limits = hello.lim;
    const newcomer = { hello, lease, request };
    const resumed = resume && (await this.#resume(hello, identity.principal));
    if (resumed) this.#settle(resumed, newcomer);
    else await this.#open(newcomer, identity.principal);
  }

  // a session that the client had before; what stands against it is kept for the welcome to another
  async #resume({ resume }: Hello, principal: string): Promise<Claimed | null> {
    if (!resume) return null;
    const { store, settings, registry } = this.#options;
    const token = tokenFrom(settings.random);
    const { sid, ep, rx, lo, hi } = resume;
    const hashes = { tokenHash: hashOf(resume.tok), nextTokenHash: hashOf(token) };
    const attaching = async (session: LiveSession | undefined): Promise<OwnedSession | null> => {
      const answer = await store.attach({ sid, ep, rx, lo, hi, ...hashes, principal, node: settings.node });
      if (answer.ok) return this.#adopted(session, answer.session);
      this.#refusal = answer.why;
      return null;
    };
    const owned = await inCharge(registry.byId(sid), attaching);
    if (owned) return { owned, owner: { principal, nonce: null }, token, isResumed: true };
    // it is no good to anybody any more. Positions that do not fit say less: a hello that comes late is not true any longer
    if (this.#refusal === 'epoch' || this.#refusal === 'overflow') await store.destroy(sid, null);
    return null;
  }

  async #open(newcomer: Newcomer, principal: string): Promise<void> {
    const { link, store, settings, registry } = this.#options;
    const owner = { principal, nonce: newcomer.hello.nonce };
    const known = registry.byNonce(owner);
    const giveBack = known ? () => undefined : registry.reserve(owner, settings.limits.sessionsPerPrincipal);
    if (!giveBack) {
      link.close(WireClose.quotaExceeded, 'too many sessions');
      return;
    }
    const { random, node, ttlMs } = settings;
    const token = tokenFrom(random);
    const names = { sid: nameFrom(random), ep: nameFrom(random), tokenHash: hashOf(token) };
    try {
      const owned = await inCharge(known, async (session) =>
        this.#adopted(session, await store.open({ ...names, ...owner, node, ttlMs })),
      );
      this.#settle({ owned, owner, token, isResumed: false }, newcomer);
    } finally {
      giveBack();
    }
  }

  // before any write goes on with the generation before
  #adopted(session: LiveSession | undefined, owned: OwnedSession): OwnedSession {
    if (session?.id === owned.sid && owned.previousNode === this.#options.settings.node)
      session.ownership.adopt(owned.gen);
    return owned;
  }

  #settle(claimed: Claimed, { hello, lease, request }: Newcomer): void {
    const { link, registry, enter, settings, agree, welcomed } = this.#options;
    const { owned, owner, isResumed } = claimed;
    const here = registry.byId(owned.sid);
    // another node had it meanwhile: what is known of it here is history
    if (here && owned.gen > here.ownership.gen && owned.previousNode !== settings.node)
      here.tell({ type: 'takenOver' });
    const session = registry.byId(owned.sid) ?? enter(owner, owned);
    if (owned.gen < session.ownership.gen) {
      link.close(WireClose.replaced, 'a newer socket has the session');
      return;
    }
    // it may have been entered since this hello asked the store
    session.ownership.adopt(owned.gen);
    session.link?.yield();
    const agreement = agree(this.#caps ?? [], hello.caps);
    link.agree(agreement);
    const conversation = this.#conversationOf(session, { hello, lease, request });
    const received = isResumed ? (hello.resume?.rx ?? 0) : owned.acked;
    session.attach({ conversation, owned, received }, this.#welcome(claimed, lease, agreement.caps));
    welcomed();
  }

  #conversationOf(session: LiveSession, { hello, lease, request }: Newcomer): Conversation {
    const { link, settings, authenticate, now, fault } = this.#options;
    return new Conversation({
      link,
      parts: session,
      auth: hello.auth,
      lease,
      now,
      fault,
      wallNow: () => settings.clock.now(),
      authenticate: async (auth, channel) =>
        authenticate({ auth, ...request, resume: false, ...(channel && { channel }) }),
    });
  }

  #welcome({ owned, token, isResumed }: Claimed, { expiresAt }: Lease, caps: string[]): Welcome {
    const { settings, now } = this.#options;
    return {
      t: 'welcome',
      sid: owned.sid,
      tok: token,
      ep: owned.ep,
      gen: owned.gen,
      resumed: isResumed,
      ...(!isResumed && this.#refusal && { why: this.#refusal }),
      rx: owned.rx,
      top: owned.top,
      ttl: settings.ttlMs,
      ...(expiresAt !== undefined && { exp: expiresAt }),
      caps,
      ...announced(settings),
      now: now(),
    };
  }
}

// writes of a session that is here wait until it is decided whose it is
function inCharge<Value>(
  session: LiveSession | undefined,
  change: (session: LiveSession | undefined) => Promise<Value>,
): Promise<Value> {
  return session ? session.ownership.during(() => change(session)) : change(undefined);
}

function announced({ limits, ping }: ServerSettings): Pick<Welcome, 'lim' | 'ping'> {
  const win = { m: limits.windowMessages, b: limits.windowBytes };
  return {
    lim: { frame: limits.frameBytes, inflated: limits.inflatedBytes, win },
    ping: { iv: ping.intervalMs, to: ping.timeoutMs },
  };
}
