import { type ServiceTier, serviceTiers } from '../../shared/contracts/completed-request.ts';
import type { RequestInput } from '../../shared/contracts/request-input.ts';
import type { Attributes, AttributeValue } from './attributes.ts';
import { inputMessages, outputMessages, systemInstructions, toolDefinitions } from './gen-ai-messages.ts';
import { below, firstOf, firstText, indexed, present, unpack } from './named-attributes.ts';
import type { Span } from './span.ts';

/** Operations that ask no model. The requests to models within those of agents and tools have spans of their own. */
const otherOperations =
  /^(create_agent|fetch_response|invoke_agent|execute_tool|invoke_workflow|plan|retrieval|retrieve|.*_memory(_store)?|memory)$/;

/**
 * Whether a span is a request to a model: it says so by its operation or, where conventions older than that are used, by what
 * it was asked with or has used.
 */
export function isModelRequest({ attributes }: Span): boolean {
  const ofAiSdk = firstText(attributes, ['ai.operationId']);
  // The AI SDK has a span around the requests of a call, with the sums of what they used.
  if (ofAiSdk !== undefined) return /\.do(Generate|Stream|Embed)$/.test(ofAiSdk);
  const operation = firstText(attributes, ['gen_ai.operation.name']);
  if (operation !== undefined) return !otherOperations.test(operation);
  for (const name of attributes.keys())
    if (/^gen_ai\.(request|response|usage|latency|prompt|completion)\b/.test(name)) return true;
  return false;
}

/** Whose requests they are, when no span says it. */
export interface Ownership {
  /** of the token, where it may write only this one; it goes before what a span says */
  creator: string | null;
  /** of the token */
  sender: string | null;
  resource: Attributes;
}

/**
 * The request that a span is. Its ids and its start must be there.
 *
 * @param span see `isModelRequest`
 */
export function toRequestInput(span: Span, ownership: Ownership, requestId: string): RequestInput {
  const { attributes } = span;
  const answered = firstText(attributes, ['gen_ai.response.model', 'ai.response.model']);
  const model = firstText(attributes, ['gen_ai.request.model', 'ai.model.id']) ?? answered;
  const operation = operationOf(attributes);
  const provider = firstText(attributes, ['gen_ai.provider.name', 'gen_ai.system', 'ai.model.provider']);
  return {
    requestId,
    createdBy: creatorOf(attributes, ownership),
    model: model ?? '',
    endpoint: `gen_ai/${operation}`,
    serviceTier: serviceTierOf(attributes),
    startedAt: span.startMs ?? 0,
    completedAt: span.endMs,
    statusCode: statusOf(span),
    traceId: span.traceId,
    spanId: span.spanId,
    provider,
    firstTokenAt: firstTokenOf(span),
    // What is small comes first: a body that is too large is cut at its end.
    requestBody: present({
      provider,
      operation,
      model,
      server: serverOf(attributes),
      conversation: firstText(attributes, ['gen_ai.conversation.id']),
      parameters: parametersOf(attributes),
      tools: toolDefinitions(span),
      system_instructions: systemInstructions(span),
      messages: inputMessages(span),
    }),
    responseBody: present({
      id: firstText(attributes, ['gen_ai.response.id', 'ai.response.id', 'gen_ai.request.id']),
      model: answered,
      finish_reasons: finishReasonsOf(attributes),
      usage: usageOf(attributes),
      latency: latencyOf(attributes),
      error: errorOf(span),
      messages: outputMessages(span),
    }),
  };
}

const ownersOfSpan = [
  'enduser.id',
  'user.id',
  // LiteLLM: the user parameter of the call, then the owner of its key
  'llm.user',
  'metadata.user_api_key_end_user_id',
  'metadata.user_api_key_user_id',
  // the Vercel AI SDK
  'ai.telemetry.metadata.userId',
];

function creatorOf(attributes: Attributes, { creator, sender, resource }: Ownership): string {
  if (creator !== null) return creator;
  const named = firstText(attributes, ownersOfSpan) ?? firstText(resource, ['enduser.id', 'user.id']);
  if (named !== undefined) return named;
  const service = firstText(resource, ['service.name']) ?? 'unknown_service';
  // SDKs say unknown_service:node where nobody has named the service.
  return service.startsWith('unknown_service') ? (sender ?? 'unknown_service') : service;
}

function operationOf(attributes: Attributes): string {
  const named = firstText(attributes, ['gen_ai.operation.name']);
  if (named !== undefined && !named.startsWith('ai.')) return named;
  const older = firstText(attributes, ['ai.operationId', 'llm.request.type', 'gen_ai.request.type']);
  if (older === undefined) return 'inference';
  if (/embed/i.test(older)) return 'embeddings';
  return /^a?text_completion$/.test(older) ? 'text_completion' : 'chat';
}

function serviceTierOf(attributes: Attributes): ServiceTier | null {
  const sides = ['response', 'request'].flatMap((side) => [
    `openai.${side}.service_tier`,
    `gen_ai.openai.${side}.service_tier`,
  ]);
  const tier = firstText(attributes, sides);
  return serviceTiers.find((known) => known === tier) ?? null;
}

function serverOf(attributes: Attributes): string | undefined {
  const address = firstText(attributes, ['server.address']);
  const port = firstText(attributes, ['server.port']);
  return address === undefined || port === undefined ? address : `${address}:${port}`;
}

function parametersOf(attributes: Attributes): AttributeValue | undefined {
  const { model, id, type, ...parameters } = below(attributes, 'gen_ai.request.') ?? {};
  const all = present({
    ...below(attributes, 'ai.settings.'),
    ...parameters,
    output_type: firstText(attributes, ['gen_ai.output.type']),
    stream: streamOf(attributes),
  });
  return Object.keys(all).length === 0 ? undefined : all;
}

/** Whether the answer came as a stream, where it is told. LiteLLM says it as Python writes it. */
function streamOf(attributes: Attributes): boolean | undefined {
  const told = firstOf(attributes, ['gen_ai.request.stream', 'gen_ai.is_streaming', 'llm.is_streaming']);
  if (told !== undefined) return /^true$/i.test(String(told));
  const operation = firstText(attributes, ['ai.operationId']);
  return operation?.endsWith('.doStream') === true ? true : undefined;
}

const errorStatuses = ['http.response.status_code', 'http.status_code', 'error.type'];

function statusOf({ attributes, isError }: Span): number {
  if (!isError && firstText(attributes, ['error.type']) === undefined) return 200;
  for (const name of errorStatuses) {
    const status = Number(firstText(attributes, [name]));
    if (Number.isInteger(status) && status >= 300 && status <= 599) return status;
  }
  return 500;
}

function finishReasonsOf(attributes: Attributes): AttributeValue | undefined {
  const told = unpack(firstOf(attributes, ['gen_ai.response.finish_reasons', 'gen_ai.response.finish_reason']));
  const reasons =
    told ??
    indexed(attributes, 'gen_ai.completion.')?.flatMap(({ finish_reason: reason }) => reason ?? []) ??
    firstOf(attributes, ['ai.response.finishReason']);
  if (reasons === undefined || Array.isArray(reasons)) return reasons?.length === 0 ? undefined : reasons;
  return [reasons];
}

const formerUsage: Record<string, string> = {
  prompt_tokens: 'input_tokens',
  completion_tokens: 'output_tokens',
  promptTokens: 'input_tokens',
  completionTokens: 'output_tokens',
  inputTokens: 'input_tokens',
  outputTokens: 'output_tokens',
  totalTokens: 'total_tokens',
  tokens: 'input_tokens',
};

/** By the present names; what has another name keeps it. */
function usageOf(attributes: Attributes): AttributeValue | undefined {
  const usage = new Map<string, AttributeValue>();
  for (const prefix of ['gen_ai.usage.', 'llm.usage.', 'ai.usage.'])
    for (const [name, value] of Object.entries(below(attributes, prefix) ?? {})) {
      const current = Object.hasOwn(formerUsage, name) ? (formerUsage[name] as string) : name;
      if (current === name || !usage.has(current)) usage.set(current, value);
    }
  return usage.size === 0 ? undefined : Object.fromEntries(usage);
}

/** In s, as vLLM has it and the conventions have the first chunk. */
function latencyOf(attributes: Attributes): AttributeValue | undefined {
  const latency = present({
    ...below(attributes, 'gen_ai.latency.'),
    time_to_first_chunk: firstOf(attributes, ['gen_ai.response.time_to_first_chunk']),
  });
  return Object.keys(latency).length === 0 ? undefined : latency;
}

const secondsToFirstToken = ['gen_ai.latency.time_to_first_token', 'gen_ai.response.time_to_first_chunk'];

/** ms since 1970, within the span; undefined: it is not told. vLLM and the conventions have it in s, the AI SDK in ms. */
function firstTokenOf({ attributes, startMs, endMs }: Span): number | undefined {
  const seconds = firstText(attributes, secondsToFirstToken);
  const ms = firstText(attributes, ['ai.response.msToFirstChunk']);
  const after = seconds === undefined ? Number(ms) : Number(seconds) * 1_000;
  if (startMs === null || endMs === null || !(after >= 0 && after <= endMs - startMs)) return undefined;
  return startMs + Math.round(after);
}

function errorOf({ attributes, events, isError, statusMessage }: Span): AttributeValue | undefined {
  const type = firstText(attributes, ['error.type']);
  if (!isError && type === undefined) return undefined;
  const thrown = events.findLast(({ name }) => name === 'exception')?.attributes ?? new Map();
  return present({
    type: type ?? firstText(thrown, ['exception.type']),
    message: statusMessage || firstText(thrown, ['exception.message']),
  });
}
