import type { ModelApi } from './model-api.ts';

/** Real vectors have a thousand numbers and more, which would be most of the demo's traffic. */
const dimensions = 32;

/** Embeddings of OpenAI: no text comes out, and no tokens do. */
export const openaiEmbeddings: ModelApi = {
  endpoint: () => '/v1/embeddings',
  toRequest: ({ model, prompt }) => JSON.stringify({ model, input: [prompt], dimensions }),
  toResponse: ({ model, id, usage }) =>
    JSON.stringify({
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: vectorOf(id) }],
      model,
      usage: { prompt_tokens: usage.inputTokens, total_tokens: usage.inputTokens },
    }),
  toStream: () => {
    throw new Error('Embeddings have no stream.');
  },
};

/** Numbers that follow from the id. */
function vectorOf(id: string): number[] {
  return Array.from(
    { length: dimensions },
    (_, at) => Math.round(Math.sin(id.charCodeAt(at % id.length) + at) * 1e4) / 1e4,
  );
}
