import { scrape } from '../../bench/scrape.ts';
import { until } from './fixtures.ts';
import { type SluiceProcess, startSluice } from './fleet.ts';

/** A gateway in a process of its own. */
export interface GatewayCommand extends SluiceProcess {
  url: string;
  /** the sum of a metric's samples, now */
  metric(name: string): Promise<number>;
}

/** Starts a gateway process that is killed when its test has finished; resolves when it listens. */
export async function startGatewayCommand(environment: Record<string, string>): Promise<GatewayCommand> {
  const gateway = await startSluice(['gateway'], { SLUICE_GATEWAY_PORT: '0', ...environment });
  const isUp = until(() => gateway.stdout.find((line) => line.includes('gateway is up')));
  const line = await Promise.race([isUp, gateway.ended]);
  if (typeof line === 'number' || !line.startsWith('{'))
    throw new Error(`the gateway ended (${line}): ${gateway.stderr.join('\n')}`);
  const { url } = JSON.parse(line) as { url: string };
  return { ...gateway, url, metric: (name) => scrape(`${url}/metrics`, name, {}) };
}
