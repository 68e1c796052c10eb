import { InvalidArgumentError } from 'commander';
import { traceIdPattern } from '../../shared/contracts/span-context.ts';

/** Reads a whole number within its range. */
export function wholeNumber({ min, max = Number.MAX_SAFE_INTEGER }: { min: number; max?: number }) {
  return (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new InvalidArgumentError(`It must be a whole number ${range}.`);
  };
}

/** Reads a number in decimal digits, with an exponent or without. */
export function decimal(text: string): number {
  const value = Number(text);
  if (/^[+-]?(\d+(\.\d+)?|\.\d+)(e[+-]?\d+)?$/i.test(text) && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It must be a number, such as 40 or 0.5.');
}

/** Reads the id of something: a UUID. */
export function uuid(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('It must be a UUID.');
}

/** Reads the id of a trace of OpenTelemetry. */
export function traceId(text: string): string {
  const id = text.toLowerCase();
  if (traceIdPattern.test(id)) return id;
  throw new InvalidArgumentError('It must be 32 hexadecimal digits, not all 0.');
}

/** Collects the values of an option that may be given several times. */
export function each(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
