import { toError } from './errors.ts';

/** Where a server listens, and which variables say so. */
export interface ListenAddress {
  host: string;
  port: number;
  /** without `_HOST` and `_PORT` */
  variables: string;
}

const remedies: Record<string, string> = {
  EADDRINUSE: 'another process listens there: stop it, or choose another port (0 picks a free one)',
  EACCES: 'this user may not listen there: choose a port from 1024 on',
  EADDRNOTAVAIL: 'it is no address of this machine: choose another host',
  ENOTFOUND: 'no address is known of this name: choose another host',
};

/**
 * Begins to listen.
 *
 * @returns the URL
 * @throws Error that names the variables and says what to do; it has no code, which a caller could take for that of another server
 */
export async function listenOn(
  server: { listen(options: { host: string; port: number }): Promise<string> },
  { host, port, variables }: ListenAddress,
): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (thrown) {
    const { code = '', message } = toError(thrown) as NodeJS.ErrnoException;
    const remedy = remedies[code];
    throw new Error(`${variables}_HOST, ${variables}_PORT: ${message}${remedy === undefined ? '' : ` (${remedy})`}`, {
      cause: thrown,
    });
  }
}
