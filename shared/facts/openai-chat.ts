import { type Answer, withoutEnd } from './answer.ts';
import { chatTokens, usageWanted } from './openai-usage.ts';
import type { Selected } from './select-json.ts';
import { countOf, elementsOf, isObject, memberOf, textOf, wordOf } from './selected-values.ts';
import type { StreamEnd } from './stream-events.ts';

export const chatWanted = {
  choices: [
    {
      index: true,
      finish_reason: true,
      message: { tool_calls: [true], function_call: true },
      delta: { tool_calls: [{ index: true, id: true }], function_call: true },
    },
  ],
  // of Groq, which also has it here in the last event of a stream
  x_groq: { usage: usageWanted },
} as const;

/** A choice as far as it is known. */
interface Choice {
  finishReason: string | null;
  toolCalls: number;
}

/** Chat and legacy completions in one piece. */
export function readChat(body: Selected): Answer {
  const choices = new Map<number, Choice>();
  for (const [place, choice] of elementsOf(memberOf(body, 'choices')).entries()) {
    const message = memberOf(choice, 'message');
    const calls = elementsOf(memberOf(message, 'tool_calls')).filter(isObject).length;
    choices.set(countOf(memberOf(choice, 'index')) ?? place, {
      finishReason: wordOf(memberOf(choice, 'finish_reason')),
      toolCalls: calls + (isObject(memberOf(message, 'function_call')) ? 1 : 0),
    });
  }
  return toAnswer(choices, memberOf(body, 'usage'));
}

/** A choice of a stream, whose calls come in parts. */
interface StreamedChoice extends Choice {
  /** the last id of each place */
  callIds: Map<number, string | null>;
  hasFunctionCall: boolean;
}

/** The same as a stream. The last event that tells of usage counts. */
export function readChatStream(events: readonly Selected[], { isDone, isDamaged }: StreamEnd): Answer {
  const choices = new Map<number, StreamedChoice>();
  let usage: Selected | undefined;
  let before: Selected | undefined;
  for (const event of events) {
    // What was said already: most events differ in their text only.
    if (event === before) continue;
    before = event;
    const told = memberOf(event, 'usage') ?? memberOf(memberOf(event, 'x_groq'), 'usage');
    if (isObject(told)) usage = told;
    for (const [place, choice] of elementsOf(memberOf(event, 'choices')).entries()) {
      const index = countOf(memberOf(choice, 'index')) ?? place;
      let known = choices.get(index);
      if (known === undefined) {
        known = { finishReason: null, toolCalls: 0, callIds: new Map(), hasFunctionCall: false };
        choices.set(index, known);
      }
      known.finishReason = wordOf(memberOf(choice, 'finish_reason')) ?? known.finishReason;
      addDelta(known, memberOf(choice, 'delta'));
    }
  }
  const answer = toAnswer(choices, usage);
  const isOver = isDone || [...choices.values()].some(({ finishReason }) => finishReason !== null);
  return isOver && !isDamaged ? answer : withoutEnd(answer);
}

function addDelta(choice: StreamedChoice, delta: Selected | undefined): void {
  if (isObject(memberOf(delta, 'function_call')) && !choice.hasFunctionCall) {
    choice.hasFunctionCall = true;
    choice.toolCalls += 1;
  }
  for (const [place, call] of elementsOf(memberOf(delta, 'tool_calls')).entries()) {
    if (!isObject(call)) continue;
    const at = countOf(memberOf(call, 'index')) ?? place;
    const id = textOf(memberOf(call, 'id')) || null;
    const lastId = choice.callIds.get(at);
    // Some servers send calls whole, all of them with the place 0: what has another id is another call.
    if (lastId === undefined || (id !== null && lastId !== null && id !== lastId)) choice.toolCalls += 1;
    choice.callIds.set(at, id ?? lastId ?? null);
  }
}

function toAnswer(choices: ReadonlyMap<number, Choice>, usage: Selected | undefined): Answer {
  let [firstIndex, finishReason, toolCalls]: [number, string | null, number] = [Number.POSITIVE_INFINITY, null, 0];
  for (const [index, choice] of choices) {
    toolCalls += choice.toolCalls;
    if (index < firstIndex) [firstIndex, finishReason] = [index, choice.finishReason];
  }
  return { ...chatTokens(usage), finishReason, toolCalls: choices.size === 0 ? null : toolCalls };
}

/** Numbers for texts. Nothing comes out, which only the total tells. */
export function readEmbeddings(body: Selected): Answer {
  const usage = memberOf(body, 'usage');
  const { inputTokens } = chatTokens(usage);
  const total = countOf(memberOf(usage, 'total_tokens'));
  return {
    inputTokens,
    cachedTokens: null,
    outputTokens: inputTokens !== null && total === inputTokens ? 0 : null,
    reasoningTokens: null,
    finishReason: null,
    toolCalls: null,
  };
}
