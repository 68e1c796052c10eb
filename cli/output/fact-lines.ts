import type { StoredRequest } from '../../queries/requests/requests.ts';
import { toCount, toFigure } from './figures.ts';

/** What the bodies of a request say, line by line; what they do not say is left out. */
export function factLines({ facts, startedAt }: Pick<StoredRequest, 'facts' | 'startedAt'>): string[] {
  const { provider, api, inputTokens, outputTokens, finishReason, toolCalls, firstTokenAt, cost } = facts;
  const served = [api, provider === null ? null : `by ${provider}`].filter((text) => text !== null).join(', ');
  const went = [
    tokens(inputTokens, 'in', facts.cachedTokens, 'from a cache'),
    tokens(outputTokens, 'out', facts.reasoningTokens, 'of reasoning'),
  ].filter((text) => text !== null);
  const calls = toolCalls === null || toolCalls === 0 ? '' : `, ${toCount(toolCalls)} calls of tools`;
  const firstMs = firstTokenAt === null || startedAt === null ? null : firstTokenAt.getTime() - startedAt.getTime();
  return [
    ...(served === '' ? [] : [`served      ${served}`]),
    ...(went.length === 0 ? [] : [`tokens      ${went.join(', ')}`]),
    ...(cost === null ? [] : [`cost        ${cost.amount} ${cost.currency}`]),
    ...(firstMs === null ? [] : [`first token ${toFigure(firstMs)} ms after the start`]),
    ...(finishReason === null && calls === '' ? [] : [`finished    ${finishReason ?? 'for no stated reason'}${calls}`]),
  ];
}

function tokens(count: number | null, way: string, part: number | null, of: string): string | null {
  if (count === null) return null;
  return `${toCount(count)} ${way}${part === null || part === 0 ? '' : ` (${toCount(part)} ${of})`}`;
}
