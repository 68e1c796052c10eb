import { isIP } from 'node:net';
import { type Reader, reader } from './environment.ts';

/** What the console has at its root: a base path that began with one of these could mean either. */
const ownPaths = ['api', 'assets', 'healthz', 'login', 'metrics', 'queues', 'readyz', 'vendor'];

const acceptedBasePath = `a path such as /sluice: segments of letters, digits, - or _, the first one other than ${ownPaths.join(', ')}`;

/** The path below which browsers find the console, without a slash at its end; '' is the root. */
export const basePath: Reader<string> = reader((text) => {
  const path = text.replace(/\/$/, '');
  const isPath = /^(\/[A-Za-z0-9_-]{1,64}){0,8}$/.test(path) && text.startsWith('/');
  return isPath && !ownPaths.includes(path.split('/')[1] ?? '') ? { value: path } : { accepted: acceptedBasePath };
});

/** Scheme, host and port, as browsers write them in the header `Origin`. */
export const webOrigin: Reader<string> = reader((text) => {
  const url = /^https?:\/\/[^/?#@\s]+\/?$/i.test(text) && URL.canParse(text) ? new URL(text) : null;
  return url === null
    ? { accepted: 'http:// or https:// with a host and maybe a port, such as https://ops.example; no path' }
    : { value: url.origin };
});

const acceptedProxies =
  'IP addresses and networks, separated by commas, such as 10.1.2.3,10.0.0.0/8; also loopback, linklocal and uniquelocal';

/** The addresses of proxies, as `proxy-addr` takes them. */
export const proxyAddresses: Reader<readonly string[]> = reader((text) => {
  const all = text.split(',').map((part) => part.trim());
  return all.every(isAddresses) ? { value: all } : { accepted: acceptedProxies };
});

function isAddresses(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || address.includes('%') || rest.length > 0) return false;
  // A network of 0 bits is everybody.
  return bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}
