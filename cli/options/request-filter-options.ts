import { type Command, Option } from 'commander';
import {
  type RequestFilter,
  type RequestState,
  requestStates,
  type StatusClass,
  statusClasses,
} from '../../queries/requests/list-requests.ts';
import { type ServiceTier, serviceTiers } from '../../shared/contracts/completed-request.ts';
import { omitUndefined } from '../../shared/platform/omit-undefined.ts';
import { traceId as toTraceId } from './option-values.ts';

/** Which requests to select, besides their time. */
export interface RequestFilterFlags {
  createdBy?: string;
  model?: string;
  status?: StatusClass;
  tier?: ServiceTier;
  state?: RequestState;
  traceId?: string;
}

export function addRequestFilterOptions(command: Command): Command {
  return command
    .option('--created-by <id>', 'filter by creator')
    .option('--model <name>', 'filter by model')
    .addOption(new Option('--status <class>', 'filter by class of response status').choices(statusClasses))
    .addOption(new Option('--tier <tier>', 'filter by service tier').choices(serviceTiers))
    .addOption(new Option('--state <state>', 'filter by state').choices(requestStates))
    .option('--trace-id <id>', 'filter by trace of OpenTelemetry', toTraceId);
}

export function toRequestFilter({
  status: statusClass,
  tier: serviceTier,
  ...flags
}: RequestFilterFlags): RequestFilter {
  const { createdBy, model, state, traceId } = flags;
  return omitUndefined({ createdBy, model, statusClass, serviceTier, state, traceId });
}
