import { loadConfig } from '../shared/config.ts';
import { UsageError } from '../shared/errors.ts';
import { runWorker, workerRoles } from './run-worker.ts';

// `node workers/main.ts execution-log`: what a container runs that needs none of the other commands.
try {
  const [given = ''] = process.argv.slice(2);
  const role = workerRoles.find((known) => known === given);
  if (role === undefined)
    throw new UsageError(`role ${JSON.stringify(given)} is not known; one of ${workerRoles.join(', ')}`);
  process.exit(await runWorker(role, loadConfig(process.env)));
} catch (error) {
  process.stderr.write(`sluice: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof UsageError ? 2 : 1);
}
