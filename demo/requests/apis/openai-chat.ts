import {
  type Answer,
  instructions,
  type ModelApi,
  toEvent,
  toolInput,
  toolName,
  toolSchema,
  toPieces,
} from './model-api.ts';

/** Chat completions, as OpenAI and many others serve them. */
export const openaiChat: ModelApi = {
  endpoint: () => '/v1/chat/completions',
  toRequest: ({ model, prompt, stream, toolResult }) =>
    JSON.stringify({
      model,
      messages: [
        { role: 'system', content: instructions },
        ...(toolResult === null
          ? []
          : [
              { role: 'user', content: 'Which invoice is it?' },
              { role: 'assistant', content: null, tool_calls: [toCall('call_0', toolName, toolInput)] },
              { role: 'tool', tool_call_id: 'call_0', content: toolResult },
            ]),
        { role: 'user', content: prompt },
      ],
      ...(toolResult !== null && {
        tools: [{ type: 'function', function: { name: toolName, parameters: toolSchema } }],
      }),
      temperature: 0.7,
      ...(stream && { stream, stream_options: { include_usage: true } }),
    }),
  toResponse: ({ text, toolCall, ...answer }) =>
    JSON.stringify({
      ...headOf(answer),
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: text,
            refusal: null,
            ...(toolCall && { tool_calls: [toCall('call_1', toolCall.name, toolCall.input)] }),
          },
          logprobs: null,
          finish_reason: toolCall ? 'tool_calls' : 'stop',
        },
      ],
      usage: usageOf(answer),
    }),
  toStream({ text, toolCall, ...answer }, { isBrokenOff }) {
    const head = { ...headOf(answer), object: 'chat.completion.chunk' };
    const chunk = (delta: object, finish: string | null = null): string =>
      toEvent({ ...head, choices: [{ index: 0, delta, finish_reason: finish }] });
    const said = [chunk({ role: 'assistant', content: '' }), ...toPieces(text).map((content) => chunk({ content }))];
    if (isBrokenOff) return said.join('');
    const call = toolCall && chunk({ tool_calls: [{ index: 0, ...toCall('call_1', toolCall.name, toolCall.input) }] });
    const end = [
      chunk({}, toolCall ? 'tool_calls' : 'stop'),
      toEvent({ ...head, choices: [], usage: usageOf(answer) }),
    ];
    return [...said, ...(call ? [call] : []), ...end, 'data: [DONE]\n\n'].join('');
  },
};

type Head = Pick<Answer, 'id' | 'model' | 'usage'>;

function headOf({ id, model }: Head) {
  return { id: `chatcmpl-${id}`, created: 1_780_000_000, model };
}

function usageOf({ usage: { inputTokens, cachedTokens, outputTokens, reasoningTokens } }: Head) {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  };
}

function toCall(id: string, name: string, input: object) {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input) } };
}
