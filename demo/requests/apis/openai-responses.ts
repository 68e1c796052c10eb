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

/** Responses of OpenAI. */
export const openaiResponses: ModelApi = {
  endpoint: () => '/v1/responses',
  toRequest: ({ model, prompt, stream, background, toolResult }) =>
    JSON.stringify({
      model,
      instructions,
      input: [
        ...(toolResult === null
          ? []
          : [
              { type: 'function_call', call_id: 'call_0', name: toolName, arguments: JSON.stringify(toolInput) },
              { type: 'function_call_output', call_id: 'call_0', output: toolResult },
            ]),
        { role: 'user', content: [{ type: 'input_text', text: prompt }] },
      ],
      ...(toolResult !== null && { tools: [{ type: 'function', name: toolName, parameters: toolSchema }] }),
      temperature: 0.7,
      ...(stream && { stream }),
      ...(background && { background }),
    }),
  toResponse: (answer) => JSON.stringify(wholeOf(answer)),
  toStream(answer, { isBrokenOff }) {
    const { id } = answer;
    const place = { item_id: `msg_${id}`, output_index: 0, content_index: 0 };
    const begun = { ...headOf(answer), status: 'in_progress', output: [] };
    const message = { ...messageOf(answer), status: 'in_progress', content: [] };
    const said = toPieces(answer.text).map((delta) => toNamedEvent('response.output_text.delta', { ...place, delta }));
    return [
      toNamedEvent('response.created', { response: begun }),
      toNamedEvent('response.output_item.added', { output_index: 0, item: message }),
      ...said,
      ...(isBrokenOff ? [] : [toNamedEvent('response.completed', { response: wholeOf(answer) })]),
    ].join('');
  },
};

function headOf({ id, model }: Answer) {
  return { id: `resp_${id}`, object: 'response', created_at: 1_780_000_000, model };
}

function messageOf({ id, text }: Answer) {
  return {
    id: `msg_${id}`,
    type: 'message',
    status: 'completed',
    role: 'assistant',
    content: [{ type: 'output_text', text, annotations: [] }],
  };
}

function wholeOf(answer: Answer) {
  const { toolCall, usage } = answer;
  const call = toolCall && {
    type: 'function_call',
    call_id: 'call_1',
    name: toolCall.name,
    arguments: JSON.stringify(toolCall.input),
    status: 'completed',
  };
  return {
    ...headOf(answer),
    status: 'completed',
    output: [messageOf(answer), ...(call ? [call] : [])],
    usage: {
      input_tokens: usage.inputTokens,
      input_tokens_details: { cached_tokens: usage.cachedTokens },
      output_tokens: usage.outputTokens,
      output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
      total_tokens: usage.inputTokens + usage.outputTokens,
    },
  };
}
