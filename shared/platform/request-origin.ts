import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isLoopback } from './config/loopback.ts';

/**
 * Whether a request addresses this machine by a loopback name. Without tokens, this check keeps other sites out: if an
 * attacker's name resolves to 127.0.0.1, the browser treats the attacker's page and this server as the same site.
 */
export function isAddressedToLoopback({ host }: IncomingHttpHeaders): boolean {
  if (host === undefined || !URL.canParse(`http://${host}`)) return false;
  return isLoopback(new URL(`http://${host}`).hostname.replace(/^\[(.*)\]$/, '$1'));
}

/**
 * Whether a page of another site may have made a browser send this request. Browsers send headers about its origin; a
 * client that sends none is not a browser, and no page can make it send anything.
 * Over plain HTTP a browser sends only its origin, and a proxy may have changed the host.
 *
 * @param publicOrigin where browsers find the server, if it is configured
 */
export function isFromAnotherSite(headers: IncomingHttpHeaders, publicOrigin: string | null): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const { origin, host } = headers;
  if (origin === undefined || origin === publicOrigin) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}

/** Whether a browser asks for a page that will replace the current one: no page can read the answer. */
export function isNavigation(headers: IncomingHttpHeaders): boolean {
  return headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

/** Headers that proxies, load balancers and CDNs add to what they forward; no browser and no tool sends one by itself. */
const proxyHeaders = [
  /^(forwarded|via|cdn-loop|front-end-https)$/,
  /^(x-)?(original-)?forwarded(-|$)/,
  /^x-(original|envoy|amzn|azure|arr|appengine|traefik|varnish|proxy)/,
  /^(x-)?(real|client|true-client|cluster-client|wl-proxy-client|proxy-client|remote|originating|proxyuser)-(ip|addr)$/,
  /^x-(scheme|cloud-trace-context)$/,
  /^(cf|fastly|fly|akamai|ali)-/,
];

/**
 * What shows that a request came through a proxy, in words; null if nothing does. A proxy that adds no header cannot be
 * told from a caller on this machine, unless it speaks HTTP/1.0, which is nginx' default.
 */
export function signOfProxy({ headers, httpVersion }: Pick<IncomingMessage, 'headers' | 'httpVersion'>): string | null {
  const header = Object.keys(headers).find((name) => proxyHeaders.some((pattern) => pattern.test(name)));
  if (header !== undefined) return `the header ${header}`;
  return httpVersion === '1.0' ? 'HTTP/1.0' : null;
}
