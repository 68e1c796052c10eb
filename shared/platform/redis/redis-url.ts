/** What `isRedisUrl` holds for, in words that name no value. */
export const acceptedRedisUrls =
  'a URL that starts with redis:// or rediss://, in which the optional database is a whole number from 0 (redis://host:6379/0) and a % in the user or password is written as %25';

/** The largest that the client can tell from others. */
export const maxDatabase = 2 ** 31 - 1;

/**
 * Whether a client can be made from a connection URL, and takes from it what it says. The client itself throws at what
 * it cannot decode, reads `/1abc` as database 1, and crashes the process that it is in over `/abc`.
 */
export function isRedisUrl(text: string): boolean {
  // With the slashes: to URL, a host and port such as redis:6379 is a URL, too.
  if (!/^rediss?:\/\//i.test(text) || !URL.canParse(text)) return false;
  const { hostname, password, pathname, searchParams, username } = new URL(text);
  const databases = [...(pathname.length > 1 ? [pathname.slice(1)] : []), ...searchParams.getAll('db')];
  return databases.every(isDatabase) && [hostname, password, username].every(canDecode);
}

/** @throws RangeError, which does not show the URL, when no client can be made from it */
export function checkRedisUrl(text: string): void {
  if (!isRedisUrl(text)) throw new RangeError(`invalid Redis URL (not shown); accepted: ${acceptedRedisUrls}`);
}

function isDatabase(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) <= maxDatabase;
}

function canDecode(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
