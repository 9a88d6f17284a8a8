import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Who is at an end of the cable. */
export type End = 'client' | 'server';

/** Asked about each piece of data, with its number from that end, from 1. */
export type Tap = (from: End, count: number) => boolean;

/** One TCP connection through the cable. */
export class Strand {
  readonly #sockets: Record<End, Socket>;
  readonly #counts = { client: 0, server: 0 };
  #silenced: End | undefined;
  #tap: Tap | undefined;
  #isCut = false;

  constructor(sockets: Record<End, Socket>, gone: () => void) {
    this.#sockets = sockets;
    this.#join('client', 'server', gone);
    this.#join('server', 'client', gone);
  }

  /** Whether both ends are still there, and nobody has cut it. */
  get isAlive(): boolean {
    return !this.#isCut && !this.#sockets.client.destroyed && !this.#sockets.server.destroyed;
  }

  /** Lets only that pass of which `tap` says so. */
  tap(tap: Tap): void {
    this.#tap = tap;
  }

  /** What comes from this end goes nowhere from now on, and that end does not learn it. */
  silence(end: End): void {
    this.#silenced = end;
  }

  /** Calls back when it has ended, however it did. */
  onceGone(gone: () => void): void {
    this.#sockets.client.once('close', gone);
  }

  /** Ends it at these ends with a TCP reset. @returns Whether it was alive. */
  reset(...ends: readonly End[]): boolean {
    return this.#cut(ends, (socket) => socket.resetAndDestroy());
  }

  /** Ends it at both ends as TCP does when a process closes its socket: no close frame passes. @returns Whether it was alive. */
  close(): boolean {
    return this.#cut(['client', 'server'], (socket) => socket.destroy());
  }

  #cut(ends: readonly End[], end: (socket: Socket) => void): boolean {
    const wasAlive = this.isAlive;
    this.#isCut = true;
    for (const name of ends) end(this.#sockets[name]);
    return wasAlive;
  }

  #join(from: End, to: End, gone: () => void): void {
    const [source, sink] = [this.#sockets[from], this.#sockets[to]];
    // so little passes that nobody has to be slowed down
    source.on('data', (piece) => {
      this.#counts[from] += 1;
      const passes = this.#tap?.(from, this.#counts[from]) ?? true;
      if (passes && !this.#isCut && this.#silenced !== from) sink.write(piece);
    });
    source.on('end', () => {
      if (!this.#isCut) sink.end();
    });
    // a close follows
    source.on('error', () => undefined);
    source.on('close', (hadError) => {
      // of what is cut, each end is ended by whoever cut it
      if (!this.#isCut && hadError) sink.resetAndDestroy();
      else if (!this.#isCut) sink.destroySoon();
      gone();
    });
  }
}

/** The cable between the client and a server: a TCP proxy whose connections can be hurt where no process notices. */
export class Cable {
  readonly #serverPort: () => number;
  readonly #server: Server;
  readonly #strands = new Set<Strand>();
  #onStrand: (strand: Strand) => void = () => undefined;

  constructor(serverPort: () => number) {
    this.#serverPort = serverPort;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      this.#lay(client);
    });
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `ws://127.0.0.1:${port}`;
  }

  /** The newest connection that is alive. */
  get newest(): Strand | undefined {
    return [...this.#strands].findLast(({ isAlive }) => isAlive);
  }

  /** Calls the listener, in place of the one before, with each new connection before anything has passed. */
  onStrand(listener: (strand: Strand) => void): void {
    this.#onStrand = listener;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', resolve);
    });
  }

  /** Ends it, and everything that passes through it. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const stopped = new Promise((resolve) => this.#server.close(resolve));
    for (const strand of this.#strands) strand.reset('client', 'server');
    await stopped;
  }

  #lay(client: Socket): void {
    const server = connect({ host: '127.0.0.1', port: this.#serverPort(), allowHalfOpen: true, noDelay: true });
    const strand: Strand = new Strand({ client, server }, () => {
      if (client.destroyed && server.destroyed) this.#strands.delete(strand);
    });
    this.#strands.add(strand);
    this.#onStrand(strand);
  }
}
