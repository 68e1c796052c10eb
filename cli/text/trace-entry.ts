/** An entry of a trace as far as it is one; a trace may hold anything that a service has put there. */
export interface ReadEntry {
  nodeId: string | null;
  /** null: no entry of a node, `value` is all of it */
  type: string | null;
  value: unknown;
  branch: string | null;
  /** of the value that a field read, where the service tells it */
  path: string | null;
}

export function readEntry(entry: unknown): ReadEntry {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return noNode(entry);
  const { nodeId, type, value, branch, path } = entry as Record<string, unknown>;
  if (typeof type !== 'string') return noNode(entry);
  return { nodeId: toText(nodeId), type, value: value ?? null, branch: toText(branch), path: toText(path) };
}

function noNode(value: unknown): ReadEntry {
  return { nodeId: null, type: null, value, branch: null, path: null };
}

function toText(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
