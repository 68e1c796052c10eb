/** What an attribute may be, see AnyValue of OTLP. */
export type AttributeValue = string | number | boolean | null | AttributeValue[] | { [key: string]: AttributeValue };

export type Attributes = ReadonlyMap<string, AttributeValue>;

/** Deeper values are left out. */
const maxDepth = 32;
/** Further attributes of a span, values of a list and events are left out. SDKs stop at 128 of each. */
const maxItems = 10_000;

/** Reads a list of KeyValue, as JSON or decoded from protobuf. Never throws; what is none is left out. */
export function readAttributes(list: unknown): Attributes {
  return new Map(entriesOf(list, 0));
}

/** A field of a message, never one of its prototype: that of a decoded message has the defaults of all fields. */
export function fieldOf(message: unknown, name: string): unknown {
  return typeof message === 'object' && message !== null && Object.hasOwn(message, name)
    ? (message as Record<string, unknown>)[name]
    : undefined;
}

function entriesOf(list: unknown, depth: number): [string, AttributeValue][] {
  const entries: [string, AttributeValue][] = [];
  for (const item of firstItems(list)) {
    const key = fieldOf(item, 'key');
    if (typeof key === 'string') entries.push([key, readAnyValue(fieldOf(item, 'value'), depth)]);
  }
  return entries;
}

/** Of a list that may have millions. Empty: it is no list. */
export function firstItems(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list.slice(0, maxItems) : [];
}

function readAnyValue(value: unknown, depth: number): AttributeValue {
  if (depth >= maxDepth) return null;
  const text = fieldOf(value, 'stringValue');
  if (typeof text === 'string') return text;
  const truth = fieldOf(value, 'boolValue');
  if (typeof truth === 'boolean') return truth;
  const int = fieldOf(value, 'intValue');
  if (int !== undefined && int !== null) return readInteger(int);
  const double = fieldOf(value, 'doubleValue');
  // JSON has no NaN and no infinity, neither here nor in a body.
  if (typeof double === 'number') return Number.isFinite(double) ? double : String(double);
  if (typeof double === 'string') return double;
  const array = fieldOf(value, 'arrayValue');
  if (array !== undefined && array !== null)
    return firstItems(fieldOf(array, 'values')).map((one) => readAnyValue(one, depth + 1));
  const list = fieldOf(value, 'kvlistValue');
  if (list !== undefined && list !== null) return Object.fromEntries(entriesOf(fieldOf(list, 'values'), depth + 1));
  const bytes = fieldOf(value, 'bytesValue');
  if (typeof bytes === 'string') return bytes;
  return bytes instanceof Uint8Array ? Buffer.from(bytes).toString('base64') : null;
}

/** Of a number, of decimal digits, or of a Long. One that is no safe integer stays text. */
function readInteger(value: unknown): number | string | null {
  const text = decimalOf(value);
  if (text === null || !/^-?\d{1,20}$/.test(text)) return null;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : text;
}

/** The digits of a number of 64 bits: in JSON a number or a text, in a decoded message a Long. */
export function decimalOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : null;
  // A Long; in JSON, an object has no function of its own.
  return typeof value === 'object' && value !== null && 'unsigned' in value && !Object.hasOwn(value, 'toString')
    ? String(value)
    : null;
}
