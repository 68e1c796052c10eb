import type { Api } from './request-facts.ts';
import type { Selected } from './select-json.ts';
import { countOf, isObject, memberOf, textOf } from './selected-values.ts';

/** What is known of a request beside its response. */
interface Asked {
  api: Api;
  endpoint: string;
  model: string;
}

/**
 * Who served a request, where something in it is only that provider's own. The shapes of OpenAI are served by many, under the same
 * names of models: there it is mostly not known. By the names of OpenTelemetry's conventions.
 */
export function providerOf({ api, endpoint, model }: Asked, pieces: readonly Selected[]): string | null {
  switch (api) {
    case 'anthropic-messages':
      return ofAnthropic(pieces, model);
    case 'gemini':
      return ofGoogle(pieces, endpoint);
    case 'openai-chat':
      return ofChat(pieces, model);
    default:
      return null;
  }
}

const idsOfMessages: readonly [RegExp, string][] = [
  [/^msg_bdrk_/, 'aws.bedrock'],
  [/^msg_vrtx_/, 'gcp.vertex_ai'],
  [/^msg_01[A-Za-z0-9]{22}$/, 'anthropic'],
];

function ofAnthropic(pieces: readonly Selected[], model: string): string | null {
  if (!model.includes('claude')) return null;
  for (const piece of pieces) {
    const id = textOf(memberOf(piece, 'id')) ?? textOf(memberOf(memberOf(piece, 'message'), 'id'));
    if (id !== null) return idsOfMessages.find(([pattern]) => pattern.test(id))?.[1] ?? null;
  }
  return null;
}

function ofGoogle(pieces: readonly Selected[], endpoint: string): string | null {
  if (endpoint.includes('/publishers/')) return 'gcp.vertex_ai';
  if (pieces.some((piece) => textOf(memberOf(memberOf(piece, 'usageMetadata'), 'trafficType')) !== null))
    return 'gcp.vertex_ai';
  return /^\/?v1(?:alpha|beta)?\/models\//.test(endpoint) ? 'gcp.gemini' : null;
}

function ofChat(pieces: readonly Selected[], model: string): string | null {
  let before: Selected | undefined;
  for (const piece of pieces) {
    if (piece === before) continue;
    before = piece;
    if (isObject(memberOf(piece, 'x_groq'))) return 'groq';
    if (Array.isArray(memberOf(piece, 'prompt_filter_results'))) return 'azure.ai.openai';
    const hits = memberOf(memberOf(piece, 'usage'), 'prompt_cache_hit_tokens');
    if (model.startsWith('deepseek-') && countOf(hits) !== null) return 'deepseek';
  }
  return null;
}
