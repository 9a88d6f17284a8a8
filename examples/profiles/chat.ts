import { defineProfile, type ServiceOptions } from 'holdfast';

/** What the chat endpoint is told. */
export type ChatRequest =
  | { type: 'message'; content: string; metadata?: { session_id?: string } }
  | { type: 'ping' | 'get_status' | 'get_config' }
  | { type: 'update_config'; config: Record<string, unknown> }
  | { type: 'stop'; session_id?: string };

/** What it says. The fields beside `type` depend on it. */
export interface ChatMessage {
  type: string;
  [field: string]: unknown;
}

// the endpoint echoes no id; these answers come in the order of their questions
const ANSWERS: Partial<Record<ChatRequest['type'], string>> = {
  get_status: 'status',
  get_config: 'config',
  stop: 'stop_response',
};

/**
 * JSON both ways. A chat message has no reply that could be told from others, and sending it twice stores it twice and cancels
 * the answer to the first: it is sent at most once, and what is in doubt is looked up by HTTP.
 */
export const chatProfile = defineProfile<ChatMessage, ChatRequest>({
  codec: 'json',
  ping: () => ({ type: 'ping' }),
  isPong: ({ type }) => type === 'pong',
  replies: { answers: (message, request) => message.type === ANSWERS[request.type] },
});

/** The chat's endpoint. `base` is `ws://host`. */
export function chatService(base: string) {
  return { url: `${base}/ws/chat`, profile: chatProfile } satisfies ServiceOptions;
}
