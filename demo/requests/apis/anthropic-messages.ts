import {
  type Answer,
  instructions,
  type ModelApi,
  toNamedEvent,
  toolInput,
  toolName,
  toolSchema,
  toPieces,
} from './model-api.ts';

/** Messages of Anthropic, which counts what came from a cache apart from the rest of the input, and no reasoning. */
export const anthropicMessages: ModelApi = {
  endpoint: () => '/v1/messages',
  toRequest: ({ model, prompt, stream, toolResult }) =>
    JSON.stringify({
      model,
      max_tokens: 4_096,
      system: [{ type: 'text', text: instructions, cache_control: { type: 'ephemeral' } }],
      messages: [
        ...(toolResult === null
          ? []
          : [
              { role: 'user', content: 'Which invoice is it?' },
              { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_0', name: toolName, input: toolInput }] },
            ]),
        {
          role: 'user',
          content: [
            ...(toolResult === null ? [] : [{ type: 'tool_result', tool_use_id: 'toolu_0', content: toolResult }]),
            { type: 'text', text: prompt },
          ],
        },
      ],
      ...(toolResult !== null && { tools: [{ name: toolName, input_schema: toolSchema }] }),
      ...(stream && { stream }),
    }),
  toResponse: (answer) =>
    JSON.stringify({
      ...headOf(answer),
      content: [{ type: 'text', text: answer.text }, ...callsOf(answer)],
      stop_reason: stopOf(answer),
      stop_sequence: null,
      usage: { ...inputOf(answer), output_tokens: answer.usage.outputTokens },
    }),
  toStream(answer, { isBrokenOff }) {
    const start = { ...headOf(answer), content: [], stop_reason: null, stop_sequence: null };
    const block = (index: number, content: object, deltas: object[]): string[] => [
      toNamedEvent('content_block_start', { index, content_block: content }),
      ...deltas.map((delta) => toNamedEvent('content_block_delta', { index, delta })),
    ];
    const stop = (index: number) => toNamedEvent('content_block_stop', { index });
    const said = toPieces(answer.text).map((text) => ({ type: 'text_delta', text }));
    const begun = [
      toNamedEvent('message_start', { message: { ...start, usage: { ...inputOf(answer), output_tokens: 1 } } }),
      ...block(0, { type: 'text', text: '' }, said),
    ];
    if (isBrokenOff) return begun.join('');
    const calls = callsOf(answer).flatMap(({ input, ...call }) => [
      ...block(1, { ...call, input: {} }, [{ type: 'input_json_delta', partial_json: JSON.stringify(input) }]),
      stop(1),
    ]);
    const end = {
      delta: { stop_reason: stopOf(answer), stop_sequence: null },
      usage: { output_tokens: answer.usage.outputTokens },
    };
    return [...begun, stop(0), ...calls, toNamedEvent('message_delta', end), toNamedEvent('message_stop', {})].join('');
  },
};

function headOf({ id, model }: Answer) {
  return { id: `msg_${id}`, type: 'message', role: 'assistant', model };
}

function inputOf({ usage: { inputTokens, cachedTokens } }: Answer) {
  return {
    input_tokens: inputTokens - cachedTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cachedTokens,
  };
}

function callsOf({ toolCall }: Answer) {
  return toolCall ? [{ type: 'tool_use', id: 'toolu_1', name: toolCall.name, input: toolCall.input }] : [];
}

function stopOf({ toolCall }: Answer) {
  return toolCall ? 'tool_use' : 'end_turn';
}
