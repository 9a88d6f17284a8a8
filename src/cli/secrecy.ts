// what a peer says may lead to anywhere, with a secret in it
const URLS = /\b([a-z][a-z\d+.-]*:\/\/)\S*/gi;
// control characters, line separators and direction marks: with them a peer's text could forge a line, or its reading
// eslint-disable-next-line no-control-regex -- naming them is the point
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const MAX_TEXT = 120;
const MAX_URL = 200;
// what is shorter is found in any text
const MIN_SECRET = 4;

/** Makes text from a peer or the platform fit to be shown. */
export type Tame = (text: string) => string;

/** Text from a peer or the platform as it may be shown: no URL, no control character, none of the secrets, and not long. */
export function tameText(text: string, secrets: readonly string[] = []): string {
  const open = secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text);
  return cut(open.replace(URLS, '$1…').replace(CONTROL, ' ').trim(), MAX_TEXT);
}

/** Text from a file as it may be shown: no control character and no direction mark, and not longer than that. */
export function plainText(text: string, length: number): string {
  return cut(text.replace(CONTROL, ' '), length);
}

/** JSON as it may be shown: what it says is the same. */
export function plainJson(text: string): string {
  return text.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A URL as it may be shown: without user information, values of the query, and parts of the path that look like secrets. */
export function shownUrl({ protocol, host, pathname, search, username, password }: URL, tame: Tame = tameText): string {
  const user = username || password ? '…@' : '';
  const path = pathname.split('/').map((part) => shownPart(part, tame));
  const pairs = search.slice(1).split('&');
  const query = pairs.map((pair) => (pair.includes('=') ? shownPart(`${pair.split('=')[0] ?? ''}=`, tame) : '…'));
  return cut(
    `${protocol}//${user}${tame(host)}${path.join('/')}${search.length > 1 ? `?${query.join('&')}` : ''}`,
    MAX_URL,
  );
}

/** A name as it may be shown: subprotocols carry tokens too. */
export function shownName(name: string, tame: Tame): string {
  return isTokenLike(name) ? '…' : tame(name);
}

/** What must not be shown of what the examination is given, whoever repeats it. The longest come first. */
export function secretsOf(url: URL | null, { headers = [], protocols = [] }: Partial<Bearers> = {}): string[] {
  const credentials = url ? [decode(url.username), decode(url.password)] : [];
  const found = [
    ...credentials,
    Buffer.from(credentials.join(':')).toString('base64'),
    ...(url ? [...url.searchParams.values(), ...url.pathname.split('/').filter(isTokenLike)] : []),
    ...headers.flatMap(([, value]) => [value, ...value.split(/[\s;,=]+/)]),
    ...protocols.filter(isTokenLike),
  ];
  return found.filter((secret) => secret.length >= MIN_SECRET).sort((one, other) => other.length - one.length);
}

/** What may hold secrets, beside the URL. */
export interface Bearers {
  headers: readonly (readonly [name: string, value: string])[];
  protocols: readonly string[];
}

function shownPart(part: string, tame: Tame): string {
  const [name = '', ...value] = part.split('=');
  const shown = shownName(name, tame);
  return value.length > 0 ? `${shown}=…` : shown;
}

// an id, a key, a signed token; a long word without a digit is more likely the name of a place
function isTokenLike(text: string): boolean {
  return (text.length >= 16 && /\d/.test(text)) || text.length >= 32;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  // a surrogate pair is not cut in two
  return `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
