import { scrape } from '../../bench/scrape.ts';
import { freePort } from '../../dev/servers/free-port.ts';
import { until } from './fixtures.ts';
import { type SluiceProcess, startSluice } from './fleet.ts';
import { redisEnvironment } from './redis-target.ts';

/** A gateway in a process of its own, which a test may kill and start again at the same address. */
export interface RestartableGateway {
  url: string;
  /** ends it like a crash */
  kill(): Promise<void>;
  startAgain(): Promise<void>;
  /** the sum of a metric's samples with these labels, of the process that runs now */
  metric(name: string, labels?: Record<string, string>): Promise<number>;
}

/** Starts a gateway that is killed when its test has finished; resolves when it takes records. */
export async function startRestartableGateway(
  { redisUrl, namespace }: { redisUrl: string; namespace: string },
  environment: Record<string, string> = {},
): Promise<RestartableGateway> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let gateway: SluiceProcess;
  const start = async (): Promise<void> => {
    gateway = await startSluice(['gateway'], {
      ...redisEnvironment(redisUrl),
      SLUICE_NAMESPACE: namespace,
      SLUICE_GATEWAY_PORT: String(port),
      ...environment,
    });
    const answering = until(async () => (await fetch(`${url}/healthz`)).ok);
    const ended = await Promise.race([answering.then(() => null), gateway.ended]);
    if (ended !== null) throw new Error(`the gateway ended (${ended}): ${gateway.stderr.join('\n')}`);
  };
  await start();
  return {
    url,
    async kill() {
      gateway.kill('SIGKILL');
      await gateway.ended;
    },
    startAgain: start,
    metric: (name, labels = {}) => scrape(`${url}/metrics`, name, labels),
  };
}
