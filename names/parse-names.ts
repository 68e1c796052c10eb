import { z } from 'zod';
import { readCsvRecords } from '../shared/platform/csv-records.ts';
import { UsageError } from '../shared/platform/errors.ts';
import { type DisplayName, nameKinds, whyNoName } from './display-name.ts';

/** What a file may hold. */
export const mostNames = 100_000;
const problemsTold = 10;

interface Place {
  /** for messages, such as `line 3` */
  where: string;
  /** a text: why there are none */
  fields: unknown;
}

const entry = z.strictObject({ kind: z.enum(nameKinds), id: z.string(), name: z.string() });

/**
 * Reads names from a file: JSON, a list of objects with `kind`, `id` and `name`; or CSV as in RFC 4180, whose first line has these
 * three names. The same name for the same id may be there twice, two names for one id may not.
 *
 * @throws UsageError that tells the first ten problems, each with its place; nothing of the file is used then
 */
export function parseNames(text: string): DisplayName[] {
  const content = text.replace(/^\uFEFF/, '');
  const places = /^\s*\[/.test(content) ? readJson(content) : readCsv(content);
  if (places.length > mostNames) throw new UsageError(`${places.length} names are too many: ${mostNames} at most`);
  const names = new Map<string, DisplayName & { where: string }>();
  const problems: string[] = [];
  for (const { where, fields } of places) {
    if (problems.length === problemsTold) break;
    if (typeof fields === 'string') {
      problems.push(`${where}: ${fields}`);
      continue;
    }
    const parsed = entry.safeParse(fields);
    if (!parsed.success) {
      problems.push(`${where}: ${parsed.error.issues.map(toProblem).join(', ')}`);
      continue;
    }
    const name = { ...parsed.data, name: parsed.data.name.trim() };
    const why = whyNoName(name);
    const key = JSON.stringify([name.kind, name.id]);
    const before = names.get(key);
    if (why !== null) problems.push(`${where}: ${why}`);
    else if (before !== undefined && before.name !== name.name)
      problems.push(`${where}: ${before.where} has another name for the same ${name.kind}`);
    else names.set(key, { ...name, where });
  }
  if (problems.length > 0) throw new UsageError(`the names cannot be read:\n  ${problems.join('\n  ')}`);
  return [...names.values()].map(({ where, ...name }) => name);
}

function toProblem({ path, message }: { path: PropertyKey[]; message: string }): string {
  return path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`;
}

function readJson(text: string): Place[] {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new UsageError('the file begins like JSON, but is none');
  }
  return (content as unknown[]).map((fields, index) => ({
    where: `entry ${index + 1}`,
    fields: typeof fields === 'string' ? 'it is no object' : fields,
  }));
}

function readCsv(text: string): Place[] {
  const [head, ...rows] = readCsvRecords(text);
  const columns = head?.fields.map((name) => name.trim()) ?? [];
  if (columns.toSorted().join() !== 'id,kind,name')
    throw new UsageError('the first line of a CSV file must be kind,id,name; JSON must be a list');
  return rows.map(({ line, fields }) => ({
    where: `line ${line}`,
    fields:
      fields.length === columns.length
        ? Object.fromEntries(columns.map((name, at) => [name, fields[at]]))
        : `it has ${fields.length} fields, and the first line has ${columns.length}`,
  }));
}
