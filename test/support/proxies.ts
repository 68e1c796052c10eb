import { onTestFinished } from 'vitest';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** A proxy in front of the server of a URL, and the URL that leads through it. It goes with the test. */
export async function startProxyTo(serverUrl: string): Promise<{ proxy: TcpProxy; url: string }> {
  const url = new URL(serverUrl);
  const proxy = await startTcpProxy(portOf(serverUrl));
  onTestFinished(proxy.close);
  url.hostname = '127.0.0.1';
  url.port = String(proxy.port);
  return { proxy, url: url.href };
}

/** The port of a server's URL. */
export function portOf(serverUrl: string): number {
  return Number(new URL(serverUrl).port);
}
