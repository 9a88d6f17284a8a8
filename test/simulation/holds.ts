import type { FrameFrom } from '../../src/protocol/frames.ts';
import type { History } from '../../src/testing/history.ts';
import type { Line } from '../../src/testing/line.ts';

type Flow = Extract<FrameFrom<'client' | 'server'>, { t: 'flow' }>;

/** Which channels are held back, by either end, as far as the other one knows: what is held is not sent. */
export class Holds {
  readonly #history: History;
  // by servers, on the connection where they said so
  readonly #byServers = new Map<Line, Set<string>>();
  // by clients, on the newest connection that a node has of a session
  readonly #byClients = new Map<string, { line: Line; channels: Set<string> }>();
  // channels that are open on a node, for a node does not listen to what is said of others
  readonly #open = new Set<string>();
  // messages that were sent while their channel was held back by the client
  readonly #waiting = new Set<string>();

  constructor(history: History) {
    this.#history = history;
  }

  /** A node welcomed a session on a connection: nothing is held back. */
  welcomed(line: Line, sid: string): void {
    this.#byClients.set(`${line.host.name} ${sid}`, { line, channels: new Set() });
  }

  opened(node: string, sid: string, channel: string): void {
    this.#open.add(`${node} ${sid} ${channel}`);
  }

  closed(node: string, sid: string, channel: string): void {
    this.#open.delete(`${node} ${sid} ${channel}`);
  }

  /** A client heard from its server. */
  heardByClient(line: Line, { c, w }: Flow): void {
    if (c === undefined) return;
    const held = this.#byServers.get(line) ?? new Set();
    this.#byServers.set(line, held);
    if (w.m === 0) held.add(c);
    else held.delete(c);
  }

  /** A server heard from its client. */
  heardByServer(line: Line, { c, w }: Flow): void {
    const place = `${line.host.name} ${String(line.sid)}`;
    const held = this.#byClients.get(place);
    if (c === undefined || held?.line !== line || !line.isHeard) return;
    // one that its application has ended may still have messages that wait, and goes on with them
    if (w.m > 0) held.channels.delete(c);
    else if (this.#open.has(`${place} ${c}`)) held.channels.add(c);
  }

  /** The client sent something for the first time. */
  sentUp(line: Line, tag: string, channel: string | undefined): void {
    this.#history.require(
      channel === undefined || this.#byServers.get(line)?.has(channel) !== true,
      () => `${line.name}: the client sends ${tag} on channel ${String(channel)}, which is held back`,
    );
  }

  /** An application of a node sends something. */
  sentDown(place: string, tag: string, channel: string | undefined): void {
    if (this.#isHeldByClient(place, channel)) this.#waiting.add(tag);
  }

  /** A node gave something to the store, and so the next place to it. */
  kept(place: string, tag: string, channel: string | undefined): void {
    this.#history.require(
      !this.#waiting.has(tag) || !this.#isHeldByClient(place, channel),
      () => `${place.slice(0, 8)} sends ${tag} on channel ${String(channel)}, which is held back`,
    );
  }

  /** Channels of a connection that its client has held back. */
  heldOn(line: Line): string[] {
    const held = this.#byClients.get(`${line.host.name} ${String(line.sid)}`);
    return held?.line === line ? [...held.channels] : [];
  }

  #isHeldByClient(place: string, channel: string | undefined): boolean {
    return channel !== undefined && this.#byClients.get(place)?.channels.has(channel) === true;
  }
}
