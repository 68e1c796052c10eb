import fc from 'fast-check';

/** Single UTF-16 units, so that NUL and lone surrogates come up all the time. */
const codeUnit = fc.oneof(
  fc.constantFrom('\0', '\ud800', '\udfff', '\\', 'u', 'd'),
  fc.nat(0xffff).map((code) => String.fromCharCode(code)),
);

/** Text with everything in it that PostgreSQL refuses. */
export const anyText = fc.string({ unit: codeUnit, maxLength: 20 });

/** Values of every kind that the language has, plain ones included, nested a few levels. */
export const anyValue = fc.anything({
  key: fc.oneof(anyText, fc.string(), fc.constantFrom('__proto__', 'toJSON', 'constructor', 'length', 'a', 'b')),
  values: [
    anyText,
    fc.string(),
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.constantFrom(null, undefined, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0),
    fc.constantFrom(Symbol('s'), Symbol.iterator, () => 1, class Named {}, /x/, new Error('bad\0'), new URL('a:b')),
  ],
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
});

/** Objects and lists of JSON's own kinds, some with text that cannot be stored. */
export const plainValue = fc.anything({
  key: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'a', 'b\0')),
  values: [fc.string(), anyText, fc.boolean(), fc.integer(), fc.double(), fc.constantFrom(null, undefined)],
  withNullPrototype: true,
  withSparseArray: true,
});

/** Every text of a JSON document, keys included. */
export function textsOf(json: unknown): string[] {
  if (typeof json === 'string') return [json];
  if (typeof json !== 'object' || json === null) return [];
  return Object.entries(json).flatMap(([key, value]) => [key, ...textsOf(value)]);
}

/** Whether PostgreSQL takes the text. */
export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
