import { fitHeapToContainer } from '../shared/platform/container-heap.ts';
import { endOnSignal } from '../shared/platform/early-signals.ts';
import { UsageError } from '../shared/platform/errors.ts';

endOnSignal(0);
// A reader of warnings that has gone, or a full disk, does not end a worker.
process.stderr.on('error', () => undefined);

fitHeapToContainer(process);
// `node workers/main.ts execution-log completed-request`: what a container runs that needs none of the other commands.
try {
  // Only now the rest, which takes its time to load.
  const [{ environmentWarnings }, { runWorker, workerRoles }] = await Promise.all([
    import('../shared/platform/config/foreign-variables.ts'),
    import('./run-worker.ts'),
  ]);
  const given = process.argv.slice(2);
  const names = workerRoles.filter((known) => given.includes(known));
  if (names.length === 0 || names.length < given.length)
    throw new UsageError(
      `roles ${JSON.stringify(given)}; accepted: one or more of ${workerRoles.join(', ')}, each once`,
    );
  for (const warning of environmentWarnings(process.env)) process.stderr.write(`sluice: warning: ${warning}\n`);
  process.exit(await runWorker(names, process.env));
} catch (error) {
  process.stderr.write(`sluice: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof UsageError ? 2 : 1);
}
