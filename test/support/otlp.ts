type Value = string | number | boolean | readonly Value[] | { [key: string]: Value };

/** A value as OTLP has it in JSON. */
function toAnyValue(value: Value): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(toAnyValue) } };
  return { kvlistValue: { values: toKeyValues(value as Record<string, Value>) } };
}

/** Attributes as OTLP has them in JSON. */
export function toKeyValues(attributes: Record<string, Value>): object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: toAnyValue(value) }));
}

/** A span as OTLP has it in JSON, of 1.5 s, with these attributes. */
export function aJsonSpan(attributes: Record<string, Value>, overrides: object = {}) {
  return {
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    name: 'chat gpt-5',
    kind: 3,
    startTimeUnixNano: '1777629600000000000',
    endTimeUnixNano: '1777629601500000000',
    attributes: toKeyValues(attributes),
    status: {},
    ...overrides,
  };
}

/** An event of a span. */
export const anEvent = (name: string, attributes: Record<string, Value>) => ({
  name,
  timeUnixNano: '1777629600000000000',
  attributes: toKeyValues(attributes),
});

/** An export of these spans, of one resource and one scope. */
export const anExport = (spans: readonly unknown[], resource: Record<string, Value> = {}) => ({
  resourceSpans: [
    { resource: { attributes: toKeyValues(resource) }, scopeSpans: [{ scope: { name: 'test' }, spans }] },
  ],
});

/** The attributes of a request to a model by the present conventions, without any message. */
export const modelRequest = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'openai',
  'gen_ai.request.model': 'gpt-5',
} as const;
