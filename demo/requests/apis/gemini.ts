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

/** Gemini, which counts its thoughts apart from the rest of the output. */
export const gemini: ModelApi = {
  endpoint: (model, stream) =>
    `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
  toRequest: ({ prompt, toolResult }) =>
    JSON.stringify({
      systemInstruction: { parts: [{ text: instructions }] },
      contents: [
        ...(toolResult === null
          ? []
          : [
              { role: 'user', parts: [{ text: 'Which invoice is it?' }] },
              { role: 'model', parts: [{ functionCall: { name: toolName, args: toolInput } }] },
              { role: 'user', parts: [{ functionResponse: { name: toolName, response: { found: toolResult } } }] },
            ]),
        { role: 'user', parts: [{ text: prompt }] },
      ],
      ...(toolResult !== null && { tools: [{ functionDeclarations: [{ name: toolName, parameters: toolSchema }] }] }),
      generationConfig: { temperature: 0.7 },
    }),
  toResponse: (answer) => JSON.stringify(pieceOf(answer, [{ text: answer.text }, ...callsOf(answer)], 'STOP')),
  toStream(answer, { isBrokenOff }) {
    const said = toPieces(answer.text).map((text) => toEvent(pieceOf(answer, [{ text }])));
    return [...said, ...(isBrokenOff ? [] : [toEvent(pieceOf(answer, callsOf(answer), 'STOP'))])].join('');
  },
};

function pieceOf({ id, model, usage }: Answer, parts: object[], finish?: string) {
  const thoughts = usage.reasoningTokens;
  // The figures of an answer under way are those until then; the last piece has them all.
  const counts = {
    promptTokenCount: usage.inputTokens,
    cachedContentTokenCount: usage.cachedTokens,
    ...(finish && { candidatesTokenCount: usage.outputTokens - thoughts, thoughtsTokenCount: thoughts }),
    totalTokenCount: usage.inputTokens + (finish ? usage.outputTokens : 0),
  };
  return {
    candidates: [{ content: { parts, role: 'model' }, ...(finish && { finishReason: finish }), index: 0 }],
    usageMetadata: counts,
    modelVersion: model,
    responseId: id,
  };
}

function callsOf({ toolCall }: Answer) {
  return toolCall ? [{ functionCall: { name: toolCall.name, args: toolCall.input } }] : [];
}
