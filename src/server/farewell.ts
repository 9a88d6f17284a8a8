import type { SessionEnd } from '../../machines/session.ts';
import { WireClose } from '../protocol/close-codes.ts';
import type { Link } from './link.ts';

export interface Farewell {
  why: SessionEnd;
  /** What the application closes with. @default 4000 */
  code?: number;
  /** Why, for people. */
  text?: string;
  /** A position that the client has not been told of; 0 for none. */
  accepted: number;
}

const ENDED: Record<SessionEnd, { closeCode: number; reason: string }> = {
  expired: { closeCode: WireClose.sessionLost, reason: 'the session is lost' },
  closed: { closeCode: WireClose.bye, reason: 'bye' },
  closed_by_peer: { closeCode: WireClose.bye, reason: 'bye' },
  taken_over: { closeCode: WireClose.replaced, reason: 'another node has the session' },
  overflow: { closeCode: WireClose.sessionLost, reason: 'more was sent than is kept' },
  released: { closeCode: WireClose.draining, reason: 'the server leaves' },
};

/** Tells the client that its session is over for this node, as far as it is for the client, and closes its socket. */
export function sayGoodbye(link: Link, { why, code, text, accepted }: Farewell): void {
  const { closeCode, reason } = ENDED[why];
  if (why !== 'closed') {
    link.close(closeCode, reason);
    return;
  }
  if (accepted > 0) link.send({ t: 'ack', a: accepted });
  link.send({ t: 'bye', keep: false, ...(text !== undefined && { why: text }) });
  link.close(code ?? closeCode, text ?? reason);
}
