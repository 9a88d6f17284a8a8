import { defineProfile, type Profile, type ServiceOptions } from 'holdfast';

/** What the main endpoint is told. */
export type MainRequest =
  | { type: 'ping' }
  | { type: 'subscribe' | 'unsubscribe'; topics: string[] }
  | { type: 'execute'; code: string; language?: string; execution_id: string };

/** What it says. The fields beside `type` depend on it. */
export interface MainMessage {
  type: string;
  execution_id?: string;
  [field: string]: unknown;
}

/**
 * JSON both ways. The endpoint works through its messages one after the other, so answers come in the order of their questions;
 * an execution is told by the id that the caller gives it. After each opening it has forgotten the subscriptions.
 */
export function mainProfile(topics: () => string[]): Profile<MainMessage, MainRequest> {
  return defineProfile<MainMessage, MainRequest>({
    codec: 'json',
    ping: () => ({ type: 'ping' }),
    isPong: ({ type }) => type === 'pong',
    replies: { answers },
    onOpen: () => [{ type: 'subscribe', topics: topics() }],
  });
}

function answers({ type, execution_id, topics }: MainMessage, request: MainRequest): boolean {
  switch (request.type) {
    case 'execute':
      return type === 'execution_result' && execution_id === request.execution_id;
    case 'subscribe':
    case 'unsubscribe':
      // the subscription of the opening is answered, too, and was asked for by nobody
      return type === `${request.type}d` && String(topics) === String(request.topics);
    case 'ping':
      return false;
  }
}

/**
 * The main endpoint. `base` is `ws://host`. A client that says nothing for an hour is closed with 1000, which by default is no
 * reason to stay away.
 */
export function mainService(base: string, topics: () => string[]) {
  return {
    url: `${base}/ws`,
    profile: mainProfile(topics),
    // the pong of a connection waits until its code has run
    heartbeat: { timeoutMs: 60_000 },
  } satisfies ServiceOptions;
}
