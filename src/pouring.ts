import type { Backlog, OutboxLimits } from './backlog.ts';
import type { OutboundMessage } from './message.ts';
import type { Wire } from './wire.ts';

/** What a flow tells the chart; each at an edge. */
export interface FlowReports {
  congested(): void;
  /** Nothing waits any more. For a flow that drains. */
  emptied?(): void;
}

export interface PouringOptions {
  wire: Wire;
  flow: FlowReports;
  limits: OutboxLimits;
  /** Asks for the rest to be poured in a turn of its own. */
  later: () => void;
}

/** Hands over what waits, batch by batch, until nothing does, or the line has enough, or takes no more. @returns How many bytes. */
export function pour(backlog: Backlog, { wire, flow, limits, later }: PouringOptions): number {
  let handed = 0;
  while (wire.isOpen) {
    const next = backlog.peek();
    // a drain that is over has nothing to wait for
    if (!next && flow.emptied) break;
    if (wire.bufferedBytes >= limits.highWaterBytes || (next && !wire.hasRoom)) {
      flow.congested();
      break;
    }
    if (!next) break;
    // an implementation that never reports its buffer gets no more than this at once either
    if (handed >= limits.highWaterBytes) {
      later();
      break;
    }
    handed += wire.write(batchOf(backlog, limits));
    backlog.admit();
  }
  return handed;
}

/** Gives what waits, one by one, as far as it belongs into one batch. */
function batchOf(
  backlog: Backlog,
  { maxBatchMessages, maxBatchBytes }: OutboxLimits,
): () => OutboundMessage | undefined {
  let count = 0;
  let bytes = 0;
  return () => {
    if (count >= maxBatchMessages) return undefined;
    const next = backlog.peek();
    if (!next || (count > 0 && bytes + next.bytes > maxBatchBytes)) return undefined;
    count += 1;
    bytes += next.bytes;
    // not `next`: its time may have run out between the two
    return backlog.take();
  };
}
