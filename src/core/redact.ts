// what a URL may carry that nobody else should read: user info, query values and the fragment
const URL_PARTS = /^([a-z][a-z\d+.-]*:\/\/)(?:[^/?#]*@)?([^?#]*)(?:\?([^#]*))?(?:#.*)?$/i;
// control characters, line separators and direction marks: with them a peer's text could forge a log line, or its reading
// eslint-disable-next-line no-control-regex -- naming them is the point
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;
const MAX_PEER_TEXT = 200;

/** A URL as it may be shown: query values become `…`, user info and fragment go. Text that is no URL becomes `(not a URL)`. */
export function redactUrl(url: string): string {
  const parts = URL_PARTS.exec(url);
  if (!parts) return '(not a URL)';
  const [, scheme = '', place = '', query] = parts;
  const names =
    query && query.split('&').map((pair) => (pair.includes('=') ? `${pair.split('=', 1)[0] ?? ''}=…` : '…'));
  return `${scheme}${place}${names ? `?${names.join('&')}` : ''}`.replace(CONTROL, ' ');
}

/** Text from a peer as it may be kept: control characters become spaces, and at most 200 characters stay. */
export function tameText(text: string): string {
  // a surrogate pair is not cut in two
  const end = /[\ud800-\udbff]$/.test(text.slice(0, MAX_PEER_TEXT)) ? MAX_PEER_TEXT - 1 : MAX_PEER_TEXT;
  return text.slice(0, end).replace(CONTROL, ' ');
}
