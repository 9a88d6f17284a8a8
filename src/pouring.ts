import type { Backlog, OutboxLimits } from './backlog.ts';
import type { OutboundMessage } from './message.ts';
import type { Transport } from './transport/transport.ts';

/** What a flow tells the chart; each at an edge. */
export interface FlowReports {
  congested(): void;
  /** Nothing waits any more. For a flow that drains. */
  emptied?(): void;
}

export interface PouringOptions {
  transport: Transport;
  flow: FlowReports;
  limits: OutboxLimits;
  /** Hands one message to the transport. Never throws. */
  hand: (message: OutboundMessage) => void;
  /** Asks for the rest to be poured in a turn of its own. */
  later: () => void;
}

/** Hands over what waits, batch by batch, until nothing does, or the socket has enough, or takes no more. @returns How many bytes. */
export function pour(backlog: Backlog, options: PouringOptions): number {
  const { transport, flow, limits, later } = options;
  let handed = 0;
  while (transport.isOpen) {
    const next = backlog.peek();
    // a drain that is over has nothing to wait for
    if (!next && flow.emptied) break;
    if (transport.bufferedBytes >= limits.highWaterBytes) {
      flow.congested();
      break;
    }
    if (!next) break;
    // an implementation that never reports its buffer gets no more than this at once either
    if (handed >= limits.highWaterBytes) {
      later();
      break;
    }
    transport.batch(() => {
      handed += handBatch(backlog, options);
    });
    backlog.admit();
  }
  return handed;
}

/** @returns The bytes handed over; an empty message counts as one, so that every batch is seen to advance. */
function handBatch(backlog: Backlog, { transport, limits, hand }: PouringOptions): number {
  const { maxBatchMessages, maxBatchBytes } = limits;
  let bytes = 0;
  for (let count = 0; count < maxBatchMessages; count++) {
    const next = backlog.peek();
    if (!next || !transport.isOpen || (count > 0 && bytes + next.bytes > maxBatchBytes)) break;
    // not `next`: its time may have run out between the two
    const taken = backlog.take();
    if (taken) hand(taken);
    bytes += Math.max(1, next.bytes);
  }
  return bytes;
}
