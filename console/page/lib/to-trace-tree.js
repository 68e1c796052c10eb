/** @typedef {import('./run-shapes.d.ts').TraceNode} TraceNode */
/** @typedef {import('./run-shapes.d.ts').TraceTree} TraceTree */

const expressions = new Set(['literal', 'field', 'arith', 'compare', 'and', 'or', 'not', 'func_call']);
const statements = new Set([
  'assign_points',
  'set_points',
  'set_case_name',
  'set_data',
  'set_callback_data',
  'repeat',
  'veto',
  'return',
]);

/**
 * The tree behind a trace. The trace is a flat list in the order of evaluation: operands before their results, the condition
 * of a rule before the rule, and a rule's statements after it; the same holds for a loop and its rounds.
 *
 * The ids say which node belongs to which, as far as they can: a node without an id of its own is called
 * `<parent>.<type>.<index>`. Where the ids say nothing, the types do: a comparison has two operands, a statement one. Nodes
 * that neither can place stay side by side, in the order of evaluation: none is left out, and none appears twice.
 *
 * The node at which a run failed has no entry, nor do the nodes around it, which did not finish either. They are inserted
 * where they belong. If the middle of a long trace was cut, a node says how much.
 *
 * @type {import('./run-shapes.d.ts').ToTraceTree}
 */
export function toTraceTree(trace, { failedNodeId = null, traceLength = null } = {}) {
  const tree = new TreeBuilder();
  const cut = Math.max(0, (traceLength ?? trace.length) - trace.length);
  // The first part is the larger half: see truncateTrace of the SDK.
  const headLength = cut === 0 ? trace.length : Math.ceil(trace.length / 2);
  for (const entry of trace.slice(0, headLength)) tree.add(toNode(entry));
  if (cut > 0) tree.addCut(cut);
  for (const entry of trace.slice(headLength)) tree.add(toNode(entry));
  if (failedNodeId !== null) tree.addFailure(failedNodeId);
  return { ...tree.finish(), entries: trace.length };
}

class TreeBuilder {
  /** @type {TraceNode[]} */
  #roots = [];
  /** evaluated, but not placed yet @type {TraceNode[]} */
  #pending = [];
  /** the rule whose statements follow, and then the loops that they are in @type {TraceNode[]} */
  #open = [];
  /** ids of rules and loops that have an entry, which precedes their contents @type {Set<string | null>} */
  #begun = new Set();
  #isInferred = false;

  /** @param {TraceNode} node */
  add(node) {
    node.children = this.#takeOperands(node);
    if (expressions.has(node.type)) {
      this.#pending.push(node);
      return;
    }
    this.#closeFor(node);
    // What was evaluated before and is not an operand of anything comes first.
    this.#flush();
    this.#siblings.push(node);
    if (node.type === 'rule' || node.type === 'repeat') {
      this.#open.push(node);
      this.#begun.add(node.nodeId);
    }
  }

  /** @param {number} entries */
  addCut(entries) {
    this.#flush();
    this.#open = [];
    const type = `${entries} ${entries === 1 ? 'entry was' : 'entries were'} not kept`;
    this.#roots.push({ nodeId: null, type, branch: null, path: null, state: 'cut', children: [] });
  }

  /** @param {string} failedNodeId */
  addFailure(failedNodeId) {
    const [failed, ...around] = unfinishedNodes(failedNodeId);
    this.#closeFor(failed);
    for (const node of [failed, ...around]) {
      if (node !== failed && this.#begun.has(node.nodeId)) break;
      node.children = this.#takeOperands(node);
      this.#pending.push(node);
    }
  }

  finish() {
    this.#flush();
    return { roots: this.#roots, isInferred: this.#isInferred };
  }

  get #siblings() {
    return this.#open.at(-1)?.children ?? this.#roots;
  }

  #flush() {
    // One by one: there may be more than a call accepts as arguments.
    for (const node of this.#pending.splice(0)) this.#siblings.push(node);
  }

  /** @param {TraceNode} node */
  #takeOperands({ nodeId, type, branch }) {
    const most = operandsOf(type, branch);
    let from = this.#pending.length;
    for (let operand = this.#pending[from - 1]; operand !== undefined; operand = this.#pending[from - 1]) {
      if (!isBelow(operand.nodeId, nodeId)) {
        if (tellsPlace(operand) || this.#pending.length - from >= most) break;
        this.#isInferred = true;
      }
      from -= 1;
    }
    return this.#pending.splice(from);
  }

  /**
   * Leaves the loops, and the rule, that do not contain a node.
   *
   * @param {TraceNode} node
   */
  #closeFor(node) {
    for (let last = this.#open.at(-1); last !== undefined; last = this.#open.at(-1)) {
      if (isBelow(node.nodeId, last.nodeId)) return;
      // An id given by hand says nothing: the node belongs to the last rule, unless that rule has nothing to do.
      if (this.#open.length === 1 && statements.has(node.type) && !tellsPlace(node) && last.branch !== 'skip') {
        this.#isInferred = true;
        return;
      }
      this.#open.pop();
    }
  }
}

/**
 * @param {unknown} entry
 * @returns {TraceNode}
 */
function toNode(entry) {
  const { nodeId, type, value, branch, path } = /** @type {Record<string, unknown>} */ (
    typeof entry === 'object' && entry !== null ? entry : {}
  );
  const isNode = typeof type === 'string' && !Array.isArray(entry);
  return {
    nodeId: isNode ? textOf(nodeId) : null,
    type: isNode ? type : '?',
    value: isNode ? (value ?? null) : entry,
    branch: isNode ? textOf(branch) : null,
    path: isNode ? textOf(path) : null,
    state: 'done',
    children: [],
  };
}

/** @param {unknown} value */
function textOf(value) {
  return typeof value === 'string' ? value : null;
}

/**
 * The maximum number of a node's operands, if the ids do not say which they are.
 *
 * @param {string} type
 * @param {string | null} branch
 */
function operandsOf(type, branch) {
  switch (type) {
    case 'arith':
    case 'compare':
      return 2;
    case 'and':
    case 'or':
      return indexIn(branch, 'short_circuit') + 1 || Number.POSITIVE_INFINITY;
    case 'func_call':
      return Number.POSITIVE_INFINITY;
    case 'rule':
      // Including the conditions of the else-ifs before it.
      return branch === 'match' ? 1 : indexIn(branch, 'elseif') + 2 || Number.POSITIVE_INFINITY;
    case 'not':
    case 'assign_points':
    case 'set_points':
    case 'set_case_name':
    case 'set_data':
    case 'set_callback_data':
    case 'repeat':
      return 1;
    default:
      return 0;
  }
}

/**
 * The number in a branch such as `elseif:1`; NaN for any other branch.
 *
 * @param {string | null} branch
 * @param {string} name
 */
function indexIn(branch, name) {
  return branch?.startsWith(`${name}:`) ? Number.parseInt(branch.slice(name.length + 1), 10) : Number.NaN;
}

/**
 * The failed node and those around it, as far as its id says.
 *
 * @param {string} failedNodeId
 * @returns {[TraceNode, ...TraceNode[]]} from the inside out
 */
function unfinishedNodes(failedNodeId) {
  const failed = toUnfinished(failedNodeId, typeIn(failedNodeId) ?? 'node', 'failed');
  const around = [];
  for (let { nodeId: id, type } = failed; id !== null && type !== 'node' && type !== 'rule'; ) {
    id = parentIdOf(id);
    // The part that runs if no rule matches is not a node.
    if (id === 'default' || id === '') break;
    // Ids given by hand start at rules.
    type = typeIn(id) ?? 'rule';
    around.push(toUnfinished(id, type, 'unfinished'));
  }
  return [failed, ...around];
}

/**
 * @param {string} nodeId
 * @param {string} type
 * @param {'failed' | 'unfinished'} state
 * @returns {TraceNode}
 */
function toUnfinished(nodeId, type, state) {
  return { nodeId, type, branch: null, path: null, state, children: [] };
}

const tail = /\.([a-z_]+)\.\d+$/;

/** @param {string} id */
function typeIn(id) {
  return tail.exec(id)?.[1] ?? null;
}

/** @param {string} id of a node that is below another one; the arms of a rule do not count */
function parentIdOf(id) {
  return id.replace(tail, '').replace(/\.(else|elseif\.\d+)$/, '');
}

/**
 * Whether an id says where its node belongs.
 *
 * @param {TraceNode} node
 */
function tellsPlace({ nodeId, type }) {
  return nodeId !== null && typeIn(nodeId) === type;
}

/**
 * @param {string | null} id
 * @param {string | null} parentId
 */
function isBelow(id, parentId) {
  return id !== null && parentId !== null && id.startsWith(`${parentId}.`);
}
