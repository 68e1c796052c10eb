import type { z } from 'zod';
import type { Fault } from './body-tally.ts';

export type Checked<T> = { value: T; fault: null } | { value: null; fault: Fault };

const fieldChars = 100;
const reasonChars = 300;

/** Checks a record against its schema. Never throws, whatever the value. */
export function checkInput<T>(schema: z.ZodType<T>, value: unknown): Checked<T> {
  try {
    const parsed = schema.safeParse(value);
    if (parsed.success) return { value: parsed.data, fault: null };
    const { field, reason } = describe(parsed.error.issues[0]);
    return { value: null, fault: contentFault(field, reason) };
  } catch {
    // A length that cannot be compared, as in {"length":{"toString":1,"valueOf":1}} where a list is expected.
    return { value: null, fault: contentFault('record', 'has a part that cannot be read') };
  }
}

export function contentFault(field: string, reason: string): Fault {
  return { kind: 'content', field: clip(field, fieldChars), reason: clip(reason, reasonChars) };
}

function describe(issue: z.core.$ZodIssue | undefined): { field: string; reason: string } {
  if (issue === undefined) return { field: 'record', reason: 'is not accepted' };
  if (issue.code === 'unrecognized_keys') return { field: issue.keys[0] ?? 'record', reason: 'is not a known field' };
  return { field: issue.path.map(String).join('.') || 'record', reason: issue.message };
}

function clip(text: string, maxChars: number): string {
  return (text.length <= maxChars ? text : `${text.slice(0, maxChars - 1)}…`).toWellFormed();
}

/** The id that a refused record names, where it can be told. */
export function idOf(value: unknown, field: 'id' | 'requestId'): { id?: string } {
  if (typeof value !== 'object' || value === null) return {};
  const id = (value as Record<string, unknown>)[field];
  return typeof id === 'string' && id.length <= fieldChars ? { id: id.toWellFormed() } : {};
}
