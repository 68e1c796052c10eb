import type { Command } from 'commander';
import { type Load, planCapacity } from '../capacity/plan.ts';
import type { CommandContext } from '../context.ts';
import { wholeNumber } from '../options/option-values.ts';
import { toCapacityLines } from '../output/capacity-lines.ts';

/** Far more than anybody has: so that every figure is a number. */
const most = 1_000_000_000;

const positive = wholeNumber({ min: 1, max: most });

export function addCapacityCommand(program: Command, context: CommandContext): void {
  program
    .command('capacity')
    .description('calculate what a load needs, and what is reached first; asks no server')
    .requiredOption('--records-per-second <n>', 'executions that are kept and sent, after sampling', positive)
    .option('--bytes <n>', 'of the JSON of a record', positive, 3_100)
    .option('--outage-minutes <n>', 'how long records wait in Redis while PostgreSQL is away', positive, 60)
    .option('--retention-days <n>', 'how long rows are kept', positive, 30)
    .option('--redis-gib <n>', 'memory of one Redis server that producers may fill', positive, 32)
    .option('--postgres-cores <n>', 'of one PostgreSQL server', positive, 32)
    .option('--postgres-tib <n>', 'of disk of one PostgreSQL server', positive, 16)
    .option('--wal-mb-per-second <n>', 'that one PostgreSQL server can write to its log', positive, 500)
    .option('--json', 'print the result as JSON')
    .action(({ json, ...load }: Load & { json?: boolean }) =>
      context.output.print(planCapacity(load), json === undefined ? {} : { json }, toCapacityLines),
    );
}
