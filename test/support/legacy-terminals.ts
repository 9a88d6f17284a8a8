import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import type { WebSocket } from 'ws';

const READ_BYTES = 8_192;

/** The terminals of the legacy server: a real shell for each connection, without a terminal around it. */
export class LegacyTerminals {
  /** What each resize said, in order. */
  readonly sizes: { id: string; cols: number; rows: number }[] = [];
  // the shell that an id stands for at present
  readonly #byId = new Map<string, ChildProcessWithoutNullStreams>();
  readonly #shells = new Set<ChildProcessWithoutNullStreams>();

  /** Shells that run. */
  get running(): number {
    return this.#shells.size;
  }

  /** A connection begins: always with a new shell, whatever its id stood for. */
  open(id: string, socket: WebSocket): void {
    const shell = spawn('sh', ['-s'], { stdio: 'pipe' });
    this.#byId.set(id, shell);
    this.#shells.add(shell);
    shell.on('exit', () => this.#shells.delete(shell));
    shell.stdin.on('error', () => undefined);
    for (const output of [shell.stdout, shell.stderr]) {
      output.on('data', (data: Buffer) => {
        this.#print(id, socket, data);
      });
    }
    let isListening = true;
    socket.on('message', (data, isBinary) => {
      // bytes, and a control message that is no JSON, end the input, and nobody is told
      if (!isListening) return;
      if (isBinary) isListening = false;
      else isListening = this.#type(id, shell, (data as Buffer).toString());
    });
  }

  stop(): void {
    for (const shell of this.#shells) shell.kill('SIGKILL');
  }

  // after a drop the shell lives on until its next output cannot be sent; then whatever its id stands for by then is killed
  #print(id: string, socket: WebSocket, data: Buffer): void {
    if (socket.readyState !== socket.OPEN) {
      this.#byId.get(id)?.kill('SIGKILL');
      return;
    }
    // each read is decoded alone: one that ends within a character is taken for another character set
    for (let at = 0; at < data.length; at += READ_BYTES) socket.send(decoded(data.subarray(at, at + READ_BYTES)));
  }

  /** @returns Whether input is read any further. */
  #type(id: string, shell: ChildProcessWithoutNullStreams, text: string): boolean {
    if (!text.startsWith('{"type":')) {
      shell.stdin.write(text);
      return true;
    }
    try {
      const { type, cols, rows } = JSON.parse(text) as { type: unknown; cols: number; rows: number };
      if (type === 'resize') this.sizes.push({ id, cols, rows });
      return true;
    } catch {
      return false;
    }
  }
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes.toString('latin1');
  }
}
