import { type ReadEntry, readEntry } from './trace-entry.ts';

/** A node of a trace: what was evaluated, what is left out, or where the run failed. */
export interface TraceNode {
  what: ReadEntry | { leftOut: number } | { failedAt: string | null };
  children: TraceNode[];
}

/** A run's trace, with what is known besides of how it was cut and how it ended. */
export interface Trace {
  entries: readonly unknown[];
  /** entries before it was cut; null when that is not known */
  length: number | null;
  /** null: the run has not failed */
  failure: { nodeId: string | null } | null;
}

/**
 * The tree behind a trace, which is a flat list in the order of evaluation: operands before what is made of them, the
 * condition of a rule before the rule, and what the rule does after it.
 *
 * Which node is whose is read from the ids, as far as they say where a node stands: one that was given none by hand is
 * called `<parent>.<type>.<index>`. Where ids say nothing, the type does: a comparison has two operands, a statement one.
 * What neither tells stays side by side, in the order of evaluation: nothing is left out, and nothing comes twice.
 *
 * Of a run that failed the last node is the one it failed at, above what was evaluated for it. Where the middle of a long
 * trace was cut, a node says how much.
 */
export function toTraceTree({ entries, length, failure }: Trace): TraceNode[] {
  const tree = new TreeBuilder();
  const leftOut = length === null ? 0 : Math.max(0, length - entries.length);
  // The head is the larger half: see truncateTrace of the SDK.
  const head = leftOut === 0 ? entries.length : Math.ceil(entries.length / 2);
  for (const entry of entries.slice(0, head)) tree.add(readEntry(entry));
  if (leftOut > 0) tree.addGap(leftOut);
  for (const entry of entries.slice(head)) tree.add(readEntry(entry));
  return tree.finish(failure);
}

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

class TreeBuilder {
  readonly #roots: TraceNode[] = [];
  /** evaluated, and not yet known to be whose */
  #pending: TraceNode[] = [];
  /** the rule whose statements come, and below it the loops that they are in */
  #open: { node: TraceNode; id: string | null; branch: string | null }[] = [];

  add(entry: ReadEntry): void {
    const node: TraceNode = { what: entry, children: this.#takeOperands(entry) };
    if (entry.type !== null && expressions.has(entry.type)) {
      this.#pending.push(node);
      return;
    }
    if (entry.type === 'rule') {
      this.#open = [];
      this.#attach(node);
    } else {
      this.#closeFor(entry);
      this.#attach(node);
    }
    if (entry.type === 'rule' || entry.type === 'repeat') {
      this.#open.push({ node, id: entry.nodeId, branch: entry.branch });
    }
  }

  addGap(leftOut: number): void {
    this.#flush();
    this.#open = [];
    this.#roots.push({ what: { leftOut }, children: [] });
  }

  finish(failure: { nodeId: string | null } | null): TraceNode[] {
    if (failure === null) {
      this.#flush();
      return this.#roots;
    }
    const { nodeId } = failure;
    // What was evaluated for others that had not ended either stands before it.
    const from = nodeId === null ? 0 : this.#pending.findIndex((node) => relation(node, nodeId) !== 'stranger');
    const operands = from === -1 ? [] : this.#pending.splice(from);
    this.#closeFor({ nodeId, type: null });
    this.#attach({ what: { failedAt: nodeId }, children: operands });
    return this.#roots;
  }

  #takeOperands(entry: ReadEntry): TraceNode[] {
    const most = operandsOf(entry);
    // Of a type that nobody knows, only those are operands that say so.
    const belongs = (node: TraceNode): boolean => {
      const related = relation(node, entry.nodeId);
      return related === 'child' || (related === 'unknown' && most !== null);
    };
    const taken: TraceNode[] = [];
    for (let node = this.#pending.at(-1); node !== undefined && belongs(node); node = this.#pending.at(-1)) {
      if (taken.length >= (most ?? Number.POSITIVE_INFINITY)) break;
      this.#pending.pop();
      taken.unshift(node);
    }
    return taken;
  }

  /** Leaves the loops, and the rule, that a statement does not stand in. */
  #closeFor({ nodeId, type }: Pick<ReadEntry, 'nodeId' | 'type'>): void {
    for (let last = this.#open.at(-1); last !== undefined; last = this.#open.at(-1)) {
      if (isBelow(nodeId, last.id)) return;
      // An id given by hand says nothing: it stands in the rule that was last, unless that one has nothing to do.
      const isRule = this.#open.length === 1;
      const isKnown = type !== null && statements.has(type);
      if (isRule && isKnown && !saysParent(nodeId, type) && last.branch !== 'skip') return;
      this.#open.pop();
    }
  }

  /** What was evaluated before and is nobody's operand comes first. */
  #attach(node: TraceNode): void {
    this.#flush();
    (this.#open.at(-1)?.node.children ?? this.#roots).push(node);
  }

  #flush(): void {
    (this.#open.at(-1)?.node.children ?? this.#roots).push(...this.#pending.splice(0));
  }
}

/** How many operands a node has at most; null where its type is not known. */
function operandsOf({ type, branch }: ReadEntry): number | null {
  switch (type) {
    case 'literal':
    case 'field':
    case 'veto':
    case 'return':
      return 0;
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
      return null;
  }
}

/** The number in a branch such as `elseif:1`; NaN when it is another one. */
function indexIn(branch: string | null, name: string): number {
  return branch?.startsWith(`${name}:`) ? Number.parseInt(branch.slice(name.length + 1), 10) : Number.NaN;
}

/** What ids say of a node and the one that may be made of it. */
function relation({ what }: TraceNode, parentId: string | null): 'child' | 'stranger' | 'unknown' {
  if (!('type' in what) || what.type === null) return 'stranger';
  if (isBelow(what.nodeId, parentId)) return 'child';
  return saysParent(what.nodeId, what.type) ? 'stranger' : 'unknown';
}

function isBelow(id: string | null, parentId: string | null): boolean {
  return id !== null && parentId !== null && id.startsWith(`${parentId}.`);
}

/** Whether an id is one that says where its node stands. */
function saysParent(id: string | null, type: string): boolean {
  const parts = id?.split('.') ?? [];
  return parts.length >= 3 && parts.at(-2) === type && /^\d+$/.test(parts.at(-1) ?? '');
}
