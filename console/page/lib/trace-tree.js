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
 * The tree behind a trace, which is a flat list in the order of evaluation: operands before what is made of them, the
 * condition of a rule before the rule, and what the rule does after it; so a loop with its rounds.
 *
 * Which node is whose is read from the ids, as far as they say where a node stands: one that was given none by hand is
 * called `<parent>.<type>.<index>`. Where ids say nothing, the type does: a comparison has two operands, a statement one.
 * What neither tells stays side by side, in the order of evaluation: nothing is left out, and nothing comes twice.
 *
 * The node that a run failed at has no entry, and neither have those around it, which did not end either: they are put
 * where they stood. Where the middle of a long trace was cut, a node says how much.
 *
 * @type {import('./run-shapes.d.ts').ToTraceTree}
 */
export function toTraceTree(trace, { failedNodeId = null, traceLength = null } = {}) {
  const tree = new TreeBuilder();
  const cut = Math.max(0, (traceLength ?? trace.length) - trace.length);
  // The head is the larger half: see truncateTrace of the SDK.
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
  /** evaluated, and not yet known to be whose @type {TraceNode[]} */
  #pending = [];
  /** the rule whose statements come, and below it the loops that they are in @type {TraceNode[]} */
  #open = [];
  /** ids of rules and loops that have an entry, which comes before what is in them @type {Set<string | null>} */
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
    // What was evaluated before and is nobody's operand comes first.
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
    // One by one: there may be more than a call takes arguments.
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
   * Leaves the loops, and the rule, that a node does not stand in.
   *
   * @param {TraceNode} node
   */
  #closeFor(node) {
    for (let last = this.#open.at(-1); last !== undefined; last = this.#open.at(-1)) {
      if (isBelow(node.nodeId, last.nodeId)) return;
      // An id given by hand says nothing: it stands in the rule that was last, unless that one has nothing to do.
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
 * How many operands a node has at most, when ids do not tell which they are.
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
      // The conditions of the else-ifs that came before, too.
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
 * The number in a branch such as `elseif:1`; NaN when it is another one.
 *
 * @param {string | null} branch
 * @param {string} name
 */
function indexIn(branch, name) {
  return branch?.startsWith(`${name}:`) ? Number.parseInt(branch.slice(name.length + 1), 10) : Number.NaN;
}

/**
 * The node that failed and those around it, as far as its id tells.
 *
 * @param {string} failedNodeId
 * @returns {[TraceNode, ...TraceNode[]]} from the inside out
 */
function unfinishedNodes(failedNodeId) {
  const failed = toUnfinished(failedNodeId, typeIn(failedNodeId) ?? 'node', 'failed');
  const around = [];
  for (let { nodeId: id, type } = failed; id !== null && type !== 'node' && type !== 'rule'; ) {
    id = parentIdOf(id);
    // What runs where no rule has matched is no node.
    if (id === 'default' || id === '') break;
    // A rule is where ids given by hand begin.
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

/** @param {string} id of a node that is below another one; the arms of a rule are none */
function parentIdOf(id) {
  return id.replace(tail, '').replace(/\.(else|elseif\.\d+)$/, '');
}

/**
 * Whether its id is one that says where the node stands.
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
