import { type Command, Option } from 'commander';
import type { ExecutionFilter } from '../../queries/executions/list-statement.ts';
import { executionStatuses } from '../../shared/contracts/execution.ts';
import { UsageError } from '../../shared/platform/errors.ts';
import { omitUndefined } from '../../shared/platform/omit-undefined.ts';
import { decimal, traceId as toTraceId } from './option-values.ts';

/** Which executions to select, besides their strategy and time. */
export interface ExecutionFilterFlags {
  status?: NonNullable<ExecutionFilter['status']>;
  code?: string;
  case?: string;
  unmatched?: boolean;
  points?: number;
  realm?: string;
  user?: string;
  traceId?: string;
}

export function addExecutionFilterOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--status <status>', 'filter by status; failed selects every status but ok').choices([
        ...executionStatuses,
        'failed',
      ]),
    )
    .option('--code <code>', 'filter by error code')
    .option('--case <name>', 'filter by matched case')
    .option('--unmatched', 'only runs that matched no case')
    .option('--points <n>', 'filter by exact points', decimal)
    .option('--realm <id>', 'filter by realm')
    .option('--user <id>', 'filter by user')
    .option('--trace-id <id>', 'filter by trace of OpenTelemetry', toTraceId);
}

/** @throws UsageError if two options exclude each other */
export function toExecutionFilter(flags: ExecutionFilterFlags): ExecutionFilter {
  if (flags.case !== undefined && flags.unmatched)
    throw new UsageError('--case and --unmatched cannot be used together');
  const { status, code: errorCode, points, realm: realmId, user: externalUserId, traceId } = flags;
  const caseName = flags.unmatched ? null : flags.case;
  return omitUndefined({ status, errorCode, caseName, points, realmId, externalUserId, traceId });
}
