import type { Redaction } from '../../producers/core/redact.ts';
import { masked } from '../../producers/core/redact-value.ts';
import type { RequestInput } from '../../shared/contracts/request-input.ts';
import type { AttributeValue } from './attributes.ts';
import { unpack } from './named-attributes.ts';

/** What was written from objects: JSON, or what Python prints. */
const beginsAsObjects = /^\s*[[{][\s[{(]*["']/;

/** The parts that attributes have as JSON. */
const parts = ['tools', 'system_instructions', 'messages', 'finish_reasons'];

/**
 * Puts a mask in the place of attributes that should be JSON and cannot be read, as they are when an SDK cut them at its limit: no path of
 * a rule leads into them.
 */
export function maskUnreadableParts(input: RequestInput, redaction: Redaction): RequestInput {
  const bodyOf = (field: 'requestBody' | 'responseBody'): unknown => {
    const body = input[field];
    return redaction.concerns(field) ? maskParts(body as Record<string, AttributeValue>) : body;
  };
  return { ...input, requestBody: bodyOf('requestBody'), responseBody: bodyOf('responseBody') };
}

function maskParts(body: Record<string, AttributeValue>): Record<string, AttributeValue> {
  return Object.fromEntries(
    Object.entries(body).map(([name, part]) => [
      name,
      parts.includes(name) ? maskUnreadable(part, unpackedLevels) : part,
    ]),
  );
}

/** A part, a message and a field of it may have been JSON, and nothing further down. */
const unpackedLevels = 3;

function maskUnreadable(value: AttributeValue, levels: number): AttributeValue {
  if (typeof value === 'string')
    return beginsAsObjects.test(value) && typeof unpack(value) === 'string' ? masked : value;
  if (typeof value !== 'object' || value === null || levels === 1) return value;
  if (Array.isArray(value)) return value.map((item) => maskUnreadable(item, levels - 1));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, maskUnreadable(item, levels - 1)]));
}
