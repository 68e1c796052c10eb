import { InvalidArgumentError } from 'commander';
import { traceIdPattern } from '../../shared/contracts/span-context.ts';

/** Parses a whole number within its range. */
export function wholeNumber({ min, max = Number.MAX_SAFE_INTEGER }: { min: number; max?: number }) {
  return (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new InvalidArgumentError(`It must be a whole number ${range}.`);
  };
}

/** Parses a number in decimal digits, with or without an exponent. */
export function decimal(text: string): number {
  const value = Number(text);
  if (/^[+-]?(\d+(\.\d+)?|\.\d+)(e[+-]?\d+)?$/i.test(text) && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It must be a number, such as 40 or 0.5.');
}

/** Parses an id: a UUID. */
export function uuid(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('It must be a UUID.');
}

/** Parses the id of an OpenTelemetry trace. */
export function traceId(text: string): string {
  const id = text.toLowerCase();
  if (traceIdPattern.test(id)) return id;
  throw new InvalidArgumentError('It must be 32 hexadecimal digits, not all 0.');
}

/** Collects the values of an option that can be repeated. */
export function each(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
