// a URL may hold a token in its user info, its path or its query; what it leads to is known from the options
const URLS = /\b([a-z][a-z\d+.-]*:\/\/)\S*/gi;
/** Control characters, line separators and direction marks: with them a peer's text could forge a log line, or its reading. */
// eslint-disable-next-line no-control-regex -- naming them is the point
export const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const MAX_PEER_TEXT = 200;

/**
 * Text from a peer or the platform as it may be kept: URLs are cut to their scheme, control characters become spaces, and at
 * most 200 characters stay.
 */
export function tameText(text: string): string {
  const shown = text.replace(URLS, '$1…');
  // a surrogate pair is not cut in two
  const end = /[\ud800-\udbff]$/.test(shown.slice(0, MAX_PEER_TEXT)) ? MAX_PEER_TEXT - 1 : MAX_PEER_TEXT;
  return shown.slice(0, end).replace(CONTROL, ' ');
}
