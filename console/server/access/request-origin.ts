import type { IncomingHttpHeaders } from 'node:http';
import { isLoopback } from '../../../shared/loopback.ts';

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
 * is no browser, and no one can make it send anything.
 */
export function isFromAnotherSite(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const { origin, host } = headers;
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
}

/** Whether a browser asks for a page that is to take the place of the one that it shows: no page can read the answer. */
export function isNavigation(headers: IncomingHttpHeaders): boolean {
  return headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}
