/** What is put around the WebSocket of the browser to connect again. */
import { WebSocket as PartyWebSocket } from 'partysocket';
import Reconnecting from 'reconnecting-websocket';

import type { ClientEars, ClientEnd } from '../peers/ends.ts';
import { openLike } from '../peers/likes.ts';

export function openReconnecting(url: string, ears: ClientEars): Promise<ClientEnd> {
  return openLike(new (Reconnecting as unknown as typeof Reconnecting.default)(url), ears);
}

export function openParty(url: string, ears: ClientEars): Promise<ClientEnd> {
  return openLike(new PartyWebSocket(url), ears);
}
