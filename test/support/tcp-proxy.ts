import { connect, createServer, type Server, type Socket } from 'node:net';

/** A way to a server that can be disturbed while its ends stay up: for tests and the bench. */
export interface TcpProxy {
  /** on loopback */
  port: number;
  /** The server that connections made from now on go to; those that are open stay where they are. */
  forwardTo(port: number): void;
  /** Resets all connections now. */
  cut(): void;
  /**
   * Lets nothing pass on the connections that are open now, in either direction, and tells neither end: half-open, as
   * when a firewall has forgotten them. Connections made later work.
   */
  blackHole(): void;
  /**
   * Passes on the next request that `isRequest` knows by its first bytes, withholds the answer to it, and resets the
   * connection: whoever asked cannot know what became of it.
   *
   * @returns the first bytes of the answer, which tell what really became of it; none when the connection ended first
   */
  loseReply(isRequest: (bytes: Buffer) => boolean): Promise<Buffer>;
  close(): Promise<void>;
}

interface Link {
  client: Socket;
  server: Socket;
  state: 'passing' | 'silent' | 'withholding';
  /** told of the bytes that are withheld */
  onWithheld: ((bytes: Buffer) => void) | null;
}

interface Trap {
  isRequest: (bytes: Buffer) => boolean;
  spring(reply: Buffer): void;
}

/** Listens on a free port and passes all bytes on to `targetPort`, both on loopback. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  let target = targetPort;
  const links = new Set<Link>();
  const traps: Trap[] = [];

  const server = createServer((client) => {
    const link: Link = { client, server: connect(target, '127.0.0.1'), state: 'passing', onWithheld: null };
    links.add(link);
    client.on('data', (bytes) => {
      if (link.state === 'silent') return;
      if (link.state === 'passing') springTrap(link, bytes);
      pass(bytes, client, link.server);
    });
    link.server.on('data', (bytes) => {
      if (link.state === 'passing') pass(bytes, link.server, client);
      if (link.state === 'withholding') link.onWithheld?.(bytes);
    });
    for (const [end, other] of [
      [client, link.server],
      [link.server, client],
    ] as const) {
      end.setNoDelay(true);
      end.on('error', () => undefined);
      end.on('close', () => {
        // An answer that does not come at all is withheld as well.
        link.onWithheld?.(Buffer.alloc(0));
        // The other end of a half-open connection hears nothing of it.
        if (link.state !== 'silent') other.destroy();
        if (client.destroyed && link.server.destroyed) links.delete(link);
      });
    }
  });

  const springTrap = (link: Link, bytes: Buffer): void => {
    const index = traps.findIndex(({ isRequest }) => isRequest(bytes));
    const [trap] = index === -1 ? [] : traps.splice(index, 1);
    if (trap === undefined) return;
    link.state = 'withholding';
    link.onWithheld = (reply) => {
      link.onWithheld = null;
      reset(link);
      trap.spring(reply);
    };
  };

  await listen(server);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    forwardTo(port) {
      target = port;
    },
    cut() {
      for (const link of links) reset(link);
    },
    blackHole() {
      for (const link of links) link.state = 'silent';
    },
    loseReply: (isRequest) => new Promise((spring) => traps.push({ isRequest, spring })),
    async close() {
      for (const link of links) reset(link);
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Slows the sender down when the receiver is slow, as the network would. */
function pass(bytes: Buffer, from: Socket, to: Socket): void {
  if (to.destroyed || to.write(bytes)) return;
  from.pause();
  to.once('drain', () => from.resume());
}

function reset({ client, server }: Link): void {
  client.resetAndDestroy();
  server.resetAndDestroy();
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve());
  });
}
