import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isLoopback } from '../../../shared/platform/config/loopback.ts';

/**
 * Whether a request is addressed to this machine by name. Without tokens that is what keeps other sites out: a name of theirs
 * that they let point to 127.0.0.1 makes the browser take their page and the console for one site.
 */
export function isAddressedToLoopback({ host }: IncomingHttpHeaders): boolean {
  if (host === undefined || !URL.canParse(`http://${host}`)) return false;
  return isLoopback(new URL(`http://${host}`).hostname.replace(/^\[(.*)\]$/, '$1'));
}

/**
 * Whether a page of another site may have made a browser send this. Browsers say where a request comes from; who says nothing
 * is no browser, and no one can make it send anything. By plain HTTP a browser says its origin only, and a proxy may have
 * changed the host.
 *
 * @param publicOrigin where browsers find the console, if the configuration says
 */
export function isFromAnotherSite(headers: IncomingHttpHeaders, publicOrigin: string | null): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const { origin, host } = headers;
  if (origin === undefined || origin === publicOrigin) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}

/** Whether a browser asks for a page that is to take the place of the one that it shows: no page can read the answer. */
export function isNavigation(headers: IncomingHttpHeaders): boolean {
  return headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

/** What proxies, load balancers and content networks put on what they pass on; no browser and no tool sends one by itself. */
const proxyHeaders = [
  /^(forwarded|via|cdn-loop|front-end-https)$/,
  /^(x-)?(original-)?forwarded(-|$)/,
  /^x-(original|envoy|amzn|azure|arr|appengine|traefik|varnish|proxy)/,
  /^(x-)?(real|client|true-client|cluster-client|wl-proxy-client|proxy-client|remote|originating|proxyuser)-(ip|addr)$/,
  /^x-(scheme|cloud-trace-context)$/,
  /^(cf|fastly|fly|akamai|ali)-/,
];

/**
 * What shows that a request came through a proxy, in words; null: nothing does. A proxy that adds nothing cannot be told from
 * a caller of this machine, but for one that speaks HTTP/1.0, as nginx does where nobody says otherwise.
 */
export function signOfProxy({ headers, httpVersion }: Pick<IncomingMessage, 'headers' | 'httpVersion'>): string | null {
  const header = Object.keys(headers).find((name) => proxyHeaders.some((pattern) => pattern.test(name)));
  if (header !== undefined) return `the header ${header}`;
  return httpVersion === '1.0' ? 'HTTP/1.0' : null;
}
