import type { Command } from 'commander';
import { untilAskedToStop } from '../../shared/platform/lifecycle.ts';
import type { CommandContext } from '../context.ts';

export function addStartCommand(program: Command, { environment }: CommandContext): void {
  program
    .command('start')
    .description('run the whole fleet on this machine; starts private servers if DATABASE_URL or REDIS_URL is not set')
    .action(async () => {
      const asked = untilAskedToStop();
      // Loaded only here: a worker in production does not need the embedded servers.
      const [{ startLocalSluice }, { say }] = await Promise.all([
        import('../../dev/start.ts'),
        import('../../dev/steps.ts'),
      ]);
      const sluice = await startLocalSluice(environment);
      const [first] = sluice.fleet.workers;
      say(`console: ${sluice.fleet.console?.url}`);
      say(`gateway: ${sluice.fleet.gateway?.url}`);
      say(`ready. Metrics: ${first?.url}/metrics. Logs: .sluice/logs. Press Ctrl-C to stop everything`);
      say('to connect your own producers or psql: source .sluice/env');
      await asked;
      say('stopping');
      await sluice.stop();
      say('stopped');
    });
}
