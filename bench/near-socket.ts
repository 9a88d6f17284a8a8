/** A socket without a network: it opens in the next turn of the event loop, and is lost when the bench wants it. What is left to measure is ours. */
export class NearSocket {
  static readonly living = new Set<NearSocket>();
  readyState = 0;
  readonly bufferedAmount = 0;
  readonly protocol = '';
  binaryType = 'blob';
  onopen: ((event: never) => unknown) | null = null;
  onmessage: ((event: never) => unknown) | null = null;
  onerror: ((event: never) => unknown) | null = null;
  onclose: ((event: never) => unknown) | null = null;

  constructor() {
    NearSocket.living.add(this);
    setImmediate(() => {
      if (this.readyState !== 0) return;
      this.readyState = 1;
      this.onopen?.({} as never);
    });
  }

  send(): void {
    // nobody listens
  }

  close(): void {
    this.end(1000);
  }

  end(code: number): void {
    if (!NearSocket.living.delete(this)) return;
    this.readyState = 3;
    setImmediate(() => {
      this.onclose?.({ code, reason: '', wasClean: code === 1000 } as never);
    });
  }
}
