import { cutLine, type Line, type Span } from './line.ts';
import type { TraceNode, TraceTree } from './run-shapes.ts';

/**
 * A trace as a tree of lines: each node's type, its value, the branch that it took, and its id.
 *
 * @param options.columns of the terminal, at which lines are cut; null: there is none, and nothing is cut
 */
export function toTraceLines({ roots, isInferred }: TraceTree, { columns }: { columns: number | null }): Line[] {
  const note = 'Node ids do not determine the whole tree: some nesting is inferred from node types.';
  const tree = linesOf(roots).map((line) => cutLine(line, columns));
  return isInferred ? [[{ text: note, tone: 'warning' }], ...tree] : tree;
}

/** With its own stack: a trace may be nested deeper than calls can be. */
function linesOf(roots: readonly TraceNode[]): Line[] {
  const lines: Line[] = [];
  const open = siblingsOf(roots, '');
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, indent, isLast } = next;
    lines.push([{ text: `${indent}${isLast ? '└─ ' : '├─ '}`, tone: 'faint' }, ...describe(node)]);
    for (const child of siblingsOf(node.children, `${indent}${isLast ? '   ' : '│  '}`)) open.push(child);
  }
  return lines;
}

/** The last one first, because a stack returns them in reverse. */
function siblingsOf(nodes: readonly TraceNode[], indent: string) {
  return nodes.map((node, index) => ({ node, indent, isLast: index === nodes.length - 1 })).reverse();
}

function describe({ state, type, value, branch, nodeId, path }: TraceNode): (string | Span)[] {
  if (state === 'cut') return [{ text: `… ${type} …`, tone: 'warning' }];
  const id: string | Span = nodeId === null ? '' : { text: `  ${nodeId}`, tone: 'faint' };
  if (state === 'failed') return [{ text: `✗ ${type} failed here`, tone: 'bad' }, id];
  if (state === 'unfinished') return [{ text: `${type} did not finish`, tone: 'warning' }, id];
  return [
    { text: type, tone: 'strong' },
    path === null ? '' : ` ${path}`,
    ` ${JSON.stringify(value)}`,
    branch === null ? '' : ` (${branch})`,
    id,
  ];
}
