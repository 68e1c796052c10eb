import { expect, test } from 'vitest';
import { createAsk } from '../../doctor/answer.ts';

const explain = (thrown: unknown) => ({ code: 'code', why: String(thrown) });

test('answer: what the server said', async () => {
  expect(await createAsk({ withinMs: 60_000, explain })(async () => 7)).toEqual({ known: true, value: 7 });
});

test('answer: a question that fails, at once or later, is explained and not thrown', async () => {
  const ask = createAsk({ withinMs: 60_000, explain });
  const throwing = (): Promise<never> => {
    throw 'at once';
  };
  expect(await ask(throwing)).toEqual({ known: false, code: 'code', why: 'at once' });
  expect(await ask(() => Promise.reject('later'))).toEqual({ known: false, code: 'code', why: 'later' });
});

test('answer: a question that is never answered ends', async () => {
  const answer = await createAsk({ withinMs: 1, explain })(() => new Promise<never>(() => undefined));
  expect(answer).toMatchObject({ known: false, code: 'timeout' });
});
