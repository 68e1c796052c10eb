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
  endpoint?: string;
  provider?: string;
  api?: string;
  status?: StatusClass;
  tier?: ServiceTier;
  state?: RequestState;
  traceId?: string;
}

/** The options that lists and figures have in common. */
export function addRequestSubjectOptions(command: Command): Command {
  return command
    .option('--created-by <id>', 'filter by creator')
    .option('--model <name>', 'filter by model')
    .option('--endpoint <path>', 'filter by path of the API, such as /v1/responses')
    .option('--provider <name>', 'filter by provider')
    .option('--api <name>', 'filter by shape of the bodies, such as openai-chat')
    .addOption(new Option('--status <class>', 'filter by class of response status').choices(statusClasses))
    .addOption(new Option('--tier <tier>', 'filter by service tier').choices(serviceTiers));
}

export function addRequestFilterOptions(command: Command): Command {
  return addRequestSubjectOptions(command)
    .addOption(new Option('--state <state>', 'filter by state').choices(requestStates))
    .option('--trace-id <id>', 'filter by trace of OpenTelemetry', toTraceId);
}

export function toRequestFilter({
  status: statusClass,
  tier: serviceTier,
  ...flags
}: RequestFilterFlags): RequestFilter {
  const { createdBy, model, endpoint, provider, api, state, traceId } = flags;
  return omitUndefined({ createdBy, model, endpoint, provider, api, statusClass, serviceTier, state, traceId });
}
