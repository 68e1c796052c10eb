/**
 * The body with which the service's own `/simulate` runs an execution again: whose it was, what came in, and in
 * `mockState` what the run read, which goes before what the service would find now.
 */

/**
 * @typedef {object} ReplayBody
 * @property {string} externalGameId
 * @property {string} externalTaskId
 * @property {string} externalUserId
 * @property {unknown} [data]
 * @property {Record<string, unknown>} mockState
 */

/** @typedef {{ body: ReplayBody, remarks: string[] }} Replay */

const identities = /** @type {const} */ (['externalGameId', 'externalTaskId', 'externalUserId']);

/**
 * @param {{ externalGameId: string | null, externalTaskId: string | null, externalUserId: string | null,
 *   trace: readonly unknown[] | null, traceLength: number | null, input: unknown, strategyType: string }} execution
 * @returns {Replay}
 */
export function toReplayBody(execution) {
  const { input } = execution;
  const remarks = [];
  const unknown = identities.filter((name) => !execution[name]);
  if (unknown.length > 0) remarks.push(`The row has no ${unknown.join(', no ')}: fill in what /simulate needs.`);
  const { mockState, unnamed } = toMockState(execution.trace ?? [], input);
  if (unnamed > 0) {
    remarks.push(
      `${unnamed} field ${unnamed === 1 ? 'value is' : 'values are'} under the id of ${unnamed === 1 ? 'its node' : 'their nodes'}: the trace does not say which path was read. Replace the id by the path.`,
    );
  }
  if ((execution.traceLength ?? 0) > (execution.trace?.length ?? 0)) {
    remarks.push('The trace was cut, so fields that were read in the missing part are not in mockState.');
  }
  if (execution.strategyType === 'DSL_EXTEND')
    remarks.push('/simulate of the original runs no rules of a DSL_EXTEND strategy.');
  return {
    body: {
      externalGameId: execution.externalGameId ?? '',
      externalTaskId: execution.externalTaskId ?? '',
      externalUserId: execution.externalUserId ?? '',
      mockState,
      ...(input === null || input === undefined ? {} : { data: dataIn(input) }),
    },
    remarks,
  };
}

/** @param {unknown} input what came in; some services keep it whole, with the data below a member of that name */
function dataIn(input) {
  return isObject(input) && isObject(input['data']) ? input['data'] : input;
}

/**
 * @param {readonly unknown[]} trace
 * @param {unknown} input
 */
function toMockState(trace, input) {
  /** @type {Map<string, unknown>} */
  const values = new Map();
  let unnamed = 0;
  for (const entry of trace) {
    if (!isObject(entry) || entry['type'] !== 'field') continue;
    const path = pathOf(entry) ?? pathByValue(entry['value'], dataIn(input));
    const name = path ?? entry['nodeId'];
    // The first reading is of what came in; a later one may be of what the run wrote.
    if (typeof name !== 'string' || values.has(name)) continue;
    values.set(name, entry['value']);
    if (path === null) unnamed += 1;
  }
  // Defined, so that a path such as __proto__ is only a name.
  return { mockState: Object.fromEntries(values), unnamed };
}

/** @param {Record<string, unknown>} entry of a service that notes what was read */
function pathOf(entry) {
  const path = entry['path'] ?? entry['field'];
  return typeof path === 'string' && path !== '' ? path : null;
}

/**
 * The member of the data that alone has this value.
 *
 * @param {unknown} value
 * @param {unknown} data
 */
function pathByValue(value, data) {
  if (value === null || value === undefined || !isObject(data)) return null;
  const text = JSON.stringify(value);
  const names = Object.keys(data).filter((name) => JSON.stringify(data[name]) === text);
  return names.length === 1 ? `data.${names[0]}` : null;
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
