/**
 * A trace is a flat list in the order of evaluation: children before their parent, but for a rule, which stands between
 * its condition and its body. Where ids tell the structure (`<parent>.<type>.<index>`) they decide; elsewhere the kinds of
 * nodes do, and the tree says that it was inferred. The same node may come several times, as in a loop: each is kept.
 */

/**
 * @typedef {object} TraceNode
 * @property {string | null} nodeId
 * @property {string} type
 * @property {unknown} [value] absent: it was not evaluated to its end
 * @property {string | null} branch
 * @property {'done' | 'failed' | 'unfinished' | 'cut'} state
 * @property {TraceNode[]} children
 */

/** @typedef {{ roots: TraceNode[], isInferred: boolean, entries: number }} TraceTree */

const expressionTypes = new Set(['literal', 'field', 'arith', 'compare', 'not', 'and', 'or', 'func_call']);
const leafStatements = new Set([
  'assign_points',
  'set_points',
  'set_case_name',
  'set_data',
  'set_callback_data',
  'veto',
  'return',
]);

/** How many values a kind of node is made from, where the kind tells. */
/** @type {Record<string, number>} */
const operands = {
  arith: 2,
  compare: 2,
  not: 1,
  assign_points: 1,
  set_points: 1,
  set_case_name: 1,
  set_data: 1,
  set_callback_data: 1,
  rule: 1,
};

/**
 * @param {readonly unknown[]} trace as it was stored: anything
 * @param {{ failedNodeId?: string | null, traceLength?: number | null }} [run]
 * @returns {TraceTree}
 */
export function toTraceTree(trace, { failedNodeId = null, traceLength = null } = {}) {
  const nodes = trace.map(toNode);
  const cut = Math.max(0, (traceLength ?? nodes.length) - nodes.length);
  /** @type {TraceNode[]} */
  const stack = [];
  let isInferred = false;
  // The cut is where the head ends, which has the odd entry.
  const headLength = Math.ceil(nodes.length / 2);
  for (const [index, node] of nodes.entries()) {
    if (cut > 0 && index === headLength) stack.push(toCut(cut));
    isInferred = place(stack, node) || isInferred;
  }
  if (cut > 0 && nodes.length === 0) stack.push(toCut(cut));
  for (const node of unfinishedNodes(failedNodeId)) place(stack, node);
  return { roots: withBodies(stack), isInferred, entries: nodes.length };
}

/**
 * @param {unknown} entry
 * @returns {TraceNode}
 */
function toNode(entry) {
  const { nodeId, type, value, branch } = /** @type {any} */ (
    typeof entry === 'object' && entry !== null ? entry : { value: entry }
  );
  return {
    nodeId: typeof nodeId === 'string' ? nodeId : null,
    type: typeof type === 'string' ? type : '?',
    value,
    branch: typeof branch === 'string' ? branch : null,
    state: 'done',
    children: [],
  };
}

/**
 * @param {number} entries
 * @returns {TraceNode}
 */
function toCut(entries) {
  return { nodeId: null, type: `${entries} entries were not kept`, branch: null, state: 'cut', children: [] };
}

/**
 * Takes what belongs below a node from the stack, and puts the node on it.
 *
 * @param {TraceNode[]} stack
 * @param {TraceNode} node
 * @returns {boolean} whether its children were inferred from kinds
 */
function place(stack, node) {
  let from = stack.length;
  while (from > 0 && isBelow(stack[from - 1]?.nodeId ?? null, node.nodeId)) from -= 1;
  const inferred = from === stack.length && !tellsStructure(node.nodeId) ? countOperands(stack, node) : 0;
  node.children = withBodies(stack.splice(from - inferred));
  stack.push(node);
  return inferred > 0;
}

/**
 * @param {TraceNode[]} stack
 * @param {TraceNode} node
 */
function countOperands(stack, node) {
  const stop = /^short_circuit:(\d+)$/.exec(node.branch ?? '')?.[1];
  const isOfAnyNumber = ['and', 'or', 'func_call'].includes(node.type);
  const wanted =
    stop !== undefined ? Number(stop) + 1 : isOfAnyNumber ? Number.POSITIVE_INFINITY : (operands[node.type] ?? 0);
  let found = 0;
  while (found < wanted && expressionTypes.has(stack[stack.length - 1 - found]?.type ?? '')) found += 1;
  return found;
}

/**
 * The node that failed and those around it have no entries: they did not end.
 *
 * @param {string | null} failedNodeId
 * @returns {TraceNode[]} from the inside out
 */
function unfinishedNodes(failedNodeId) {
  if (failedNodeId === null) return [];
  /** @type {TraceNode[]} */
  const nodes = [];
  for (let id = failedNodeId; id !== ''; id = parentIdOf(id)) {
    const isArm = /\.(elseif\.\d+|else)$/.test(id);
    if (isArm) continue;
    nodes.push({
      nodeId: id,
      type: typeIn(id) ?? (nodes.length === 0 ? 'node' : 'rule'),
      branch: null,
      state: nodes.length === 0 ? 'failed' : 'unfinished',
      children: [],
    });
  }
  return nodes;
}

const tail = /\.([a-z_]+)\.\d+$/;

/** @param {string} id */
function parentIdOf(id) {
  if (tail.test(id)) return id.replace(tail, '');
  return id.endsWith('.else') ? id.slice(0, -'.else'.length) : '';
}

/** @param {string} id */
function typeIn(id) {
  return tail.exec(id)?.[1] ?? null;
}

/** @param {string | null} id */
function tellsStructure(id) {
  return id !== null && tail.test(id);
}

/**
 * @param {string | null} id
 * @param {string | null} parentId
 */
function isBelow(id, parentId) {
  return id !== null && parentId !== null && id.startsWith(`${parentId}.`);
}

/**
 * Among siblings, what follows a rule and has an id below its own is the rule's body.
 *
 * @param {TraceNode[]} siblings
 * @returns {TraceNode[]}
 */
function withBodies(siblings) {
  /** @type {TraceNode[]} */
  const top = [];
  /** @type {TraceNode[]} */
  let open = [];
  for (const node of siblings) {
    while (open.length > 0 && !isBelow(node.nodeId, open[open.length - 1]?.nodeId ?? null)) open = open.slice(0, -1);
    (open[open.length - 1]?.children ?? top).push(node);
    if (!expressionTypes.has(node.type) && !leafStatements.has(node.type) && node.nodeId !== null)
      open = [...open, node];
  }
  return top;
}
