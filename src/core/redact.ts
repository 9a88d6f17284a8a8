// what a URL may carry that nobody else should read: user info, query values and the fragment
const URL_PARTS = /^([a-z][a-z\d+.-]*:\/\/)(?:[^/?#]*@)?([^?#]*)(?:\?([^#]*))?(?:#.*)?$/i;
// C0 and C1 control characters and the line separators: with them a peer's text could forge a log line
// eslint-disable-next-line no-control-regex -- naming them is the point
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;
const MAX_PEER_TEXT = 200;

/** A URL as it may be shown: query values become `…`, user info and fragment go. Text that is no URL becomes `(not a URL)`. */
export function redactUrl(url: string): string {
  const parts = URL_PARTS.exec(url);
  if (!parts) return '(not a URL)';
  const [, scheme = '', place = '', query] = parts;
  if (!query) return scheme + place;
  const names = query.split('&').map((pair) => `${pair.split('=', 1)[0] ?? ''}=…`);
  return `${scheme}${place}?${names.join('&')}`;
}

/** Text from a peer as it may be kept: control characters become spaces, and at most 200 characters stay. */
export function tameText(text: string): string {
  return text.slice(0, MAX_PEER_TEXT).replace(CONTROL, ' ');
}
