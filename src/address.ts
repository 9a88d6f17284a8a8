/**
 * Reads a URL that a WebSocket can be opened to: `ws:` and `wss:`, and `http:` and `https:` as the same. Relative URLs are
 * resolved against the page, where there is one.
 *
 * Source: WHATWG WebSockets standard, the constructor's steps.
 */
export function parseUrl(value: unknown): { ok: true; url: string } | { ok: false; problem: string } {
  if (typeof value !== 'string' && !(value instanceof URL))
    return { ok: false, problem: `a ${typeof value} is no URL` };
  const { location } = globalThis as { location?: { href: string } };
  let url: URL;
  try {
    url = new URL(value, location?.href);
  } catch {
    return { ok: false, problem: 'it cannot be parsed' };
  }
  if (url.protocol === 'http:') url.protocol = 'ws:';
  if (url.protocol === 'https:') url.protocol = 'wss:';
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:')
    return { ok: false, problem: 'its scheme is none of ws, wss, http and https' };
  if (url.hash !== '') return { ok: false, problem: 'a WebSocket URL has no fragment' };
  return { ok: true, url: url.href };
}

/** Whether a value is a list of subprotocols: tokens, each once. Source: RFC 6455, section 4.1. */
export function isProtocols(value: unknown): value is readonly string[] {
  const isToken = (item: unknown): boolean => typeof item === 'string' && /^[!#$%&'*+\-.^_`|~\w]+$/.test(item);
  return Array.isArray(value) && value.every(isToken) && new Set(value).size === value.length;
}
