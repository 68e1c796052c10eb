import { none } from './figures.ts';
import { cutLine, type Line, type Span } from './line.ts';
import type { TraceNode } from './trace-tree.ts';

/**
 * A trace as a tree of lines: what each node is, what it came to, which way it went, and its id.
 *
 * @param options.columns of the terminal, at which lines are cut; null: it is none, and they are not
 */
export function toTraceLines(nodes: readonly TraceNode[], { columns }: { columns: number | null }): Line[] {
  return linesOf(nodes, '').map((line) => cutLine(line, columns));
}

function linesOf(nodes: readonly TraceNode[], indent: string): Line[] {
  return nodes.flatMap((node, index) => {
    const isLast = index === nodes.length - 1;
    const head: Line = [{ text: `${indent}${isLast ? '└─ ' : '├─ '}`, tone: 'faint' }, ...describe(node)];
    return [head, ...linesOf(node.children, `${indent}${isLast ? '   ' : '│  '}`)];
  });
}

function describe({ what }: TraceNode): (string | Span)[] {
  if ('leftOut' in what) return [{ text: `… ${what.leftOut} entries left out …`, tone: 'warning' }];
  if ('failedAt' in what) return [{ text: `✗ failed at ${what.failedAt ?? 'a node that is not known'}`, tone: 'bad' }];
  const { type, value, branch, nodeId, path } = what;
  if (type === null) return [JSON.stringify(value) ?? none];
  return [
    { text: type, tone: 'strong' },
    path === null ? '' : ` ${path}`,
    ` ${JSON.stringify(value)}`,
    branch === null ? '' : ` (${branch})`,
    nodeId === null ? '' : { text: `  ${nodeId}`, tone: 'faint' },
  ];
}
