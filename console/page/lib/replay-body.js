const identities = /** @type {const} */ (['externalGameId', 'externalTaskId', 'externalUserId']);
const longestIdentity = 200;

/**
 * The body with which the service's own `/simulate` repeats an execution: for whom it ran, its input, and in `mockState`
 * what the run read, which takes precedence over what the service would find now.
 *
 * Which field an entry of the trace is about follows from its `path`, or from the program. If neither says so, the value is
 * listed under the id of its node, which a simulation ignores. What a field below `data.` read is left to `data` where it is
 * known: a value that the run itself wrote must not be there from the start.
 *
 * @type {import('./run-shapes.d.ts').ToReplayBody}
 */
export function toReplayBody(execution, program = null) {
  const { input = null, trace, traceLength, strategyType, notes } = execution;
  const data = isObject(input) ? input : null;
  const isGiven = (/** @type {string} */ path) =>
    identities.some((name) => name === path) || (data !== null && path.startsWith('data.'));
  const { values, unnamed, changed } = readFields(trace ?? [], pathsIn(program));
  const missing = identities.filter((name) => (execution[name] ?? '') === '');
  const tooLong = identities.filter((name) => (execution[name]?.length ?? 0) > longestIdentity);
  const cut = trace === null ? 0 : Math.max(0, (traceLength ?? 0) - trace.length);
  return {
    body: {
      externalGameId: execution.externalGameId,
      externalTaskId: execution.externalTaskId,
      externalUserId: execution.externalUserId,
      ...(data === null ? {} : { data }),
      // Defined, so that a path such as __proto__ is an ordinary name.
      mockState: Object.fromEntries([...values].filter(([path]) => !isGiven(path))),
    },
    remarks: [
      ...missing.map((name) => `The run had no ${name}, which a simulation requires: add one.`),
      ...tooLong.map((name) => `${name} is longer than the ${longestIdentity} characters that a simulation accepts.`),
      ...(strategyType === 'DSL_EXTEND'
        ? ['The strategy extends a built-in one: the original simulates such a program as 0 points, without its rules.']
        : []),
      ...(input === null ? ['The input of the run was not stored, so there is no data.'] : []),
      ...(input !== null && data === null ? ['The input of the run is not an object, so it is not in data.'] : []),
      ...(trace === null ? ['The run has no trace, so nothing is in mockState.'] : []),
      ...(cut === 0
        ? []
        : [`The trace was truncated: mockState lacks what fields read in ${cut} of its ${traceLength} entries.`]),
      ...(unnamed === 0
        ? []
        : [
            `The trace does not say which paths ${unnamed} of its fields read, so their values are listed under the ids of their nodes. Replace each id with the path from the strategy’s program.`,
          ]),
      ...changed
        .filter((path) => !isGiven(path))
        .map((path) => `${path} was read with several values: mockState has the first one.`),
      ...(notes === null ? [] : [`The row’s notes: ${notes}.`]),
    ],
    isComplete: missing.length === 0 && tooLong.length === 0,
  };
}

/**
 * @param {readonly unknown[]} trace
 * @param {ReadonlyMap<string, string>} pathOf
 */
function readFields(trace, pathOf) {
  /** @type {Map<string, unknown>} */
  const values = new Map();
  /** @type {Set<string>} */
  const changed = new Set();
  const unnamed = new Set();
  for (const entry of trace) {
    if (!isObject(entry) || entry['type'] !== 'field') continue;
    const { nodeId, path: told, value = null } = entry;
    const path = typeof told === 'string' ? told : pathOf.get(String(nodeId));
    if (path === undefined) unnamed.add(nodeId);
    const name = path ?? nodeId;
    if (typeof name !== 'string') continue;
    if (!values.has(name)) values.set(name, value);
    // The first reading is of the input; a later one may be of what the run wrote.
    else if (JSON.stringify(values.get(name)) !== JSON.stringify(value)) changed.add(name);
  }
  return { values, changed: [...changed], unnamed: unnamed.size };
}

/**
 * The paths of all fields in a program, by the ids of their nodes.
 *
 * @param {unknown} program
 * @returns {ReadonlyMap<string, string>}
 */
function pathsIn(program) {
  const paths = new Map();
  const open = [program];
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node !== 'object' || node === null) continue;
    const { id, type, path } = /** @type {Record<string, unknown>} */ (node);
    if (type === 'field' && typeof id === 'string' && typeof path === 'string') paths.set(id, path);
    for (const member of Object.values(node)) open.push(member);
  }
  return paths;
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
