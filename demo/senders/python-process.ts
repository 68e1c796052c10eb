import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pythonClientDir } from './find-python.ts';
import type { GatewayRoute } from './gateway-route.ts';

const program = fileURLToPath(new URL('send.py', import.meta.url));

/**
 * Starts a service in Python that sends what it is told through the gateway by Sluice's client. It ends by itself with its
 * standard input, and so with this process.
 *
 * @param onLine is told each line of JSON that it prints
 */
export function startPythonProcess(options: {
  route: GatewayRoute & { python: string };
  kind: 'executions' | 'requests';
  environment?: Record<string, string>;
  onLine(line: unknown): void;
}) {
  const { route, kind, onLine } = options;
  const child = spawn(route.python, [program, kind], {
    env: {
      ...route.environment,
      SLUICE_GATEWAY_URL: route.url,
      PYTHONPATH: pythonClientDir,
      PYTHONDONTWRITEBYTECODE: '1',
      ...options.environment,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
    // Its own process group: a Ctrl-C reaches this process, which lets it send what it has.
    detached: true,
  });
  const exited = once(child, 'close').then(([code, signal]) => {
    if (code !== 0) throw new Error(`the sender in Python ended with ${signal ?? `code ${code}`}; see above`);
  });
  exited.catch(() => undefined);
  // What it cannot be told any more is in nobody's accounts, and `ended` says why.
  child.stdin.on('error', () => undefined);
  createInterface({ input: child.stdout }).on('line', (line) => onLine(JSON.parse(line)));
  return {
    tell: (line: object): void => void child.stdin.write(`${JSON.stringify(line)}\n`),
    /** Rejects when it ends otherwise than asked. */
    ended: exited,
    /** Lets it send what it has. @throws Error if it failed */
    async end(): Promise<void> {
      child.stdin.end();
      await exited;
    },
    kill: (): void => void child.kill('SIGKILL'),
  };
}
