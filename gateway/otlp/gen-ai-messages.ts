import type { AttributeValue } from './attributes.ts';
import { firstOf, indexed, present, unpack, unpackAll } from './named-attributes.ts';
import type { Span, SpanEvent } from './span.ts';

/** Where the conventions put messages one after the other. The newest that is there counts. */
interface Places {
  /** of the span, or of the event with the details of the operation */
  attribute: string;
  /** one for each message */
  events: readonly string[];
  /** an attribute with all of them, of the span or of an event of its own */
  content: { attribute: string; event: string };
}

const input: Places = {
  attribute: 'gen_ai.input.messages',
  events: ['gen_ai.system.message', 'gen_ai.user.message', 'gen_ai.assistant.message', 'gen_ai.tool.message'],
  content: { attribute: 'gen_ai.prompt', event: 'gen_ai.content.prompt' },
};
const output: Places = {
  attribute: 'gen_ai.output.messages',
  events: ['gen_ai.choice'],
  content: { attribute: 'gen_ai.completion', event: 'gen_ai.content.completion' },
};

const detailsEvent = 'gen_ai.client.inference.operation.details';

/** What the model was sent, in whatever form it was recorded; undefined: it was not recorded. */
export function inputMessages(span: Span): AttributeValue | undefined {
  return (
    messagesAt(span, input) ??
    unpackAll(firstOf(span.attributes, ['ai.prompt.messages', 'ai.prompt', 'ai.values', 'ai.value']))
  );
}

/** What the model answered. */
export function outputMessages(span: Span): AttributeValue | undefined {
  return messagesAt(span, output) ?? aiSdkAnswer(span);
}

export function systemInstructions(span: Span): AttributeValue | undefined {
  return unpack(attributeOf(span, 'gen_ai.system_instructions'));
}

export function toolDefinitions({ attributes }: Span): AttributeValue | undefined {
  return (
    unpackAll(firstOf(attributes, ['gen_ai.tool.definitions', 'ai.prompt.tools'])) ??
    indexed(attributes, 'llm.request.functions.') ??
    undefined
  );
}

function messagesAt(span: Span, { attribute, events, content }: Places): AttributeValue | undefined {
  const current = unpack(attributeOf(span, attribute));
  if (current !== undefined) return current;
  const told = span.events.filter(({ name }) => events.includes(name));
  if (told.length > 0) return told.map(messageOfEvent);
  const whole =
    firstOf(span.attributes, [content.attribute]) ?? attributeOfEvent(span, content.event, content.attribute);
  if (whole !== undefined) return unpack(whole);
  return indexed(span.attributes, `${content.attribute}.`)?.map(unpackFields);
}

function attributeOf(span: Span, name: string): AttributeValue | undefined {
  return firstOf(span.attributes, [name]) ?? attributeOfEvent(span, detailsEvent, name);
}

function attributeOfEvent({ events }: Span, event: string, attribute: string): AttributeValue | undefined {
  for (const { name, attributes } of events) {
    const value = name === event ? firstOf(attributes, [attribute]) : undefined;
    if (value !== undefined) return value;
  }
  return undefined;
}

/** `gen_ai.user.message` is of the role user, unless it says otherwise. */
function messageOfEvent({ name, attributes }: SpanEvent): AttributeValue {
  const [, role = 'assistant'] = /^gen_ai\.(\w+)\.message$/.exec(name) ?? [];
  const body = unpack(firstOf(attributes, ['gen_ai.event.content']));
  const fields = [...attributes].filter(([key]) => !key.startsWith('gen_ai.') && !key.startsWith('event.'));
  const ofBody = typeof body === 'object' && body !== null && !Array.isArray(body) ? body : present({ content: body });
  return { role, ...ofBody, ...unpackFields(Object.fromEntries(fields)) };
}

/** The content of a message is text, even where somebody has written JSON. */
function unpackFields(fields: Record<string, AttributeValue>): Record<string, AttributeValue> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, key === 'content' ? value : (unpack(value) ?? null)]),
  );
}

/** The Vercel AI SDK has an attribute for each part of the one message. */
function aiSdkAnswer({ attributes }: Span): AttributeValue | undefined {
  const message = present({
    content: firstOf(attributes, ['ai.response.text']) ?? unpack(firstOf(attributes, ['ai.response.object'])),
    reasoning: firstOf(attributes, ['ai.response.reasoning']),
    tool_calls: unpack(firstOf(attributes, ['ai.response.toolCalls'])),
  });
  return Object.keys(message).length === 0 ? undefined : [{ role: 'assistant', ...message }];
}
