/** The error and what is behind it, innermost last: Prisma wraps the adapter's error, which wraps the driver's. */
export function* causesOf(thrown: unknown): Generator<Record<string, unknown>> {
  const seen = new Set<unknown>();
  const open: unknown[] = [thrown];
  while (open.length > 0) {
    const next = open.shift();
    if (typeof next !== 'object' || next === null || seen.has(next)) continue;
    seen.add(next);
    const error = fieldsOf(next);
    yield error;
    const { cause, errors, meta } = error;
    if (typeof meta === 'object' && meta !== null) open.push(fieldsOf(meta)['driverAdapterError']);
    open.push(cause);
    if (Array.isArray(errors)) for (const one of errors) open.push(one);
  }
}

const fieldNames = [
  'name',
  'severity',
  'schema',
  'table',
  'column',
  'constraint',
  'function',
  'where',
  'file',
  'routine',
  'index',
  'code',
  'kind',
  'message',
  'host',
  'port',
  'reason',
  'originalCode',
  'originalMessage',
  'syscall',
  'errno',
  'meta',
  'driverAdapterError',
  'cause',
  'errors',
];

/** A copy of the fields that count; those that cannot be read are absent. */
export function fieldsOf(error: object): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const name of fieldNames) {
    try {
      const value = (error as Record<string, unknown>)[name];
      fields[name] = Array.isArray(value) ? [...value] : value;
    } catch {
      // absent
    }
  }
  return fields;
}
