import { type Answer, toTokens, withoutEnd } from './answer.ts';
import type { Selected } from './select-json.ts';
import { countOf, elementsOf, isObject, memberOf, sumOf, textOf, wordOf } from './selected-values.ts';
import type { StreamEnd } from './stream-events.ts';

export const geminiWanted = {
  candidates: [{ index: true, finishReason: true, content: { parts: [{ functionCall: { name: true } }] } }],
  promptFeedback: { blockReason: true },
  usageMetadata: {
    promptTokenCount: true,
    toolUsePromptTokenCount: true,
    cachedContentTokenCount: true,
    candidatesTokenCount: true,
    thoughtsTokenCount: true,
    totalTokenCount: true,
    // of Vertex AI only
    trafficType: true,
  },
} as const;

/**
 * An answer in its pieces, of which there is one where it is no stream. The last usage that tells of the prompt counts; parts of
 * a call of a function that follow its first have no name.
 */
export function readGemini(pieces: readonly Selected[], { isDamaged }: StreamEnd): Answer {
  const reasons = new Map<number, string | null>();
  let usage: Selected | undefined;
  let toolCalls = 0;
  let isBlocked = false;
  for (const piece of pieces) {
    const told = memberOf(piece, 'usageMetadata');
    if (countOf(memberOf(told, 'promptTokenCount')) !== null || usage === undefined) usage = told;
    isBlocked ||= textOf(memberOf(memberOf(piece, 'promptFeedback'), 'blockReason')) !== null;
    for (const [place, candidate] of elementsOf(memberOf(piece, 'candidates')).entries()) {
      const index = countOf(memberOf(candidate, 'index')) ?? place;
      const reason = wordOf(memberOf(candidate, 'finishReason'));
      reasons.set(index, reason ?? reasons.get(index) ?? null);
      for (const part of elementsOf(memberOf(memberOf(candidate, 'content'), 'parts')))
        if (textOf(memberOf(memberOf(part, 'functionCall'), 'name'))) toolCalls += 1;
    }
  }
  const first = Math.min(...[...reasons.keys()].slice(0, 100));
  const answer = {
    ...geminiTokens(usage),
    finishReason: reasons.get(first) ?? null,
    toolCalls: reasons.size === 0 ? null : toolCalls,
  };
  const isOver = isBlocked || [...reasons.values()].some((reason) => reason !== null);
  return isOver && !isDamaged ? answer : withoutEnd(answer);
}

/**
 * Numbers that are 0 are left out of this shape, so the total has to tell whether one that is missing is 0, and whether thoughts are
 * among the candidates' tokens, as they were once, or beside them.
 */
function geminiTokens(usage: Selected | undefined) {
  const prompt = memberOf(usage, 'promptTokenCount');
  const inputTokens = sumOf(prompt, memberOf(usage, 'toolUsePromptTokenCount'));
  const total = countOf(memberOf(usage, 'totalTokenCount'));
  const candidates = memberOf(usage, 'candidatesTokenCount');
  const thoughts = memberOf(usage, 'thoughtsTokenCount');
  const beside = sumOf(candidates ?? 0, thoughts);
  const among = countOf(candidates);
  const isTotal = (output: number | null): boolean =>
    total !== null && inputTokens !== null && output !== null && total === inputTokens + output;
  let outputTokens = candidates === undefined && !isTotal(beside) ? null : beside;
  if (!isTotal(beside) && isTotal(among)) outputTokens = among;
  return toTokens({
    inputTokens,
    cachedTokens: countOf(memberOf(usage, 'cachedContentTokenCount')),
    outputTokens,
    reasoningTokens: isObject(usage) ? countOf(thoughts) : null,
  });
}
