import type { StoredExecution } from '../../console/repository/executions/one.ts';
import { readEntry } from '../text/trace-entry.ts';

/** What the scoring service's simulation is asked: the body of `POST …/strategies/custom/{id}/simulate`. */
export interface SimulateRequest {
  /** null: the row has none, and the simulation wants one */
  externalGameId: string | null;
  externalTaskId: string | null;
  externalUserId: string | null;
  /** what came with the event */
  data?: Record<string, unknown>;
  /** by the path of the field: what it read in that run, in place of what it would read now */
  mockState?: Record<string, unknown>;
}

/** A request, and in what a simulation may differ from the run. */
export interface Simulation {
  request: SimulateRequest;
  /** for a person, one sentence each */
  caveats: string[];
}

const idFields = ['externalGameId', 'externalTaskId', 'externalUserId'] as const;
const longestId = 200;

/**
 * Makes the request that repeats a run, from its row.
 *
 * `data` is the run's input. `mockState` has what fields read in the run: analytics have moved on since. Which field an
 * entry of the trace is about is told by its `path`, or by the program. What a field below `data.` read is left to `data`
 * where that is known: a value that the run itself has written must not be there from the beginning.
 *
 * @param program the strategy's program, or any JSON that has it in it; null when it is not at hand
 */
export function toSimulation(execution: StoredExecution, program: unknown): Simulation {
  const { input, trace, traceLength, strategyType, notes } = execution;
  const data = isObject(input) ? input : null;
  const fields = readFields(trace ?? [], pathsIn(program));
  const mocked = Object.entries(fields.values).filter(
    ([path]) => !idFields.some((name) => name === path) && (data === null || !path.startsWith('data.')),
  );
  const request: SimulateRequest = {
    ...(Object.fromEntries(idFields.map((name) => [name, execution[name]])) as Pick<
      SimulateRequest,
      (typeof idFields)[number]
    >),
    ...(data === null ? {} : { data }),
    ...(mocked.length === 0 ? {} : { mockState: Object.fromEntries(mocked) }),
  };
  const caveats = [
    ...idFields
      .filter((name) => execution[name] === null || execution[name] === '')
      .map((name) => `the run had no ${name}, which a simulation wants: put one in`),
    ...idFields
      .filter((name) => (execution[name]?.length ?? 0) > longestId)
      .map((name) => `${name} is longer than the ${longestId} characters that a simulation takes`),
    ...(strategyType === 'DSL_EXTEND'
      ? ['the strategy extends a built-in one, and the original simulates such a program as 0 points and no trace']
      : []),
    ...(input !== null && data === null ? ['the input of the run is no object, so it is not in data'] : []),
    ...(input === null ? ['the input of the run was not stored, so there is no data'] : []),
    ...(trace === null ? ['the run has no trace, so there is no mockState'] : []),
    ...(trace !== null && traceLength !== null && traceLength > trace.length
      ? [`the trace was cut: ${traceLength - trace.length} of ${traceLength} entries are not known`]
      : []),
    ...(fields.unnamed === 0
      ? []
      : [
          `${fields.unnamed} values that fields read are not in mockState: the trace does not tell which fields; --program FILE does`,
        ]),
    ...fields.changed.map((path) => `${path} was read with several values; the first one is taken`),
    ...(notes === null ? [] : [`the row notes: ${notes}`]),
  ];
  return { request, caveats };
}

/** Whether the simulation would accept who the run was for. */
export function isComplete({ request }: Simulation): boolean {
  return idFields.every((name) => {
    const id = request[name];
    return id !== null && id.length >= 1 && id.length <= longestId;
  });
}

function readFields(trace: readonly unknown[], pathOf: ReadonlyMap<string, string>) {
  const values = new Map<string, unknown>();
  const changed = new Set<string>();
  let unnamed = 0;
  for (const { type, nodeId, path: told, value } of trace.map(readEntry)) {
    if (type !== 'field') continue;
    const path = told ?? (nodeId === null ? undefined : pathOf.get(nodeId));
    if (path === undefined) unnamed += 1;
    else if (!values.has(path)) values.set(path, value);
    // What a run writes below data. may change, and is not from mockState.
    else if (JSON.stringify(values.get(path)) !== JSON.stringify(value)) changed.add(path);
  }
  return { values: Object.fromEntries(values), changed: [...changed], unnamed };
}

/** The paths of all fields in a program, by the ids of their nodes. */
function pathsIn(program: unknown): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  const open: unknown[] = [program];
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node !== 'object' || node === null) continue;
    const { id, type, path } = node as Record<string, unknown>;
    if (type === 'field' && typeof id === 'string' && typeof path === 'string') paths.set(id, path);
    open.push(...Object.values(node));
  }
  return paths;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
