import { expect, test } from 'vitest';
import { pageModule } from '../../../support/page-module.ts';

interface Latest {
  cancel(): void;
  askNow(load: (signal: AbortSignal) => Promise<string>): Promise<void>;
  askWhenIdle(load: (signal: AbortSignal) => Promise<string>): Promise<void>;
}
const { createLatest } = await pageModule<{ createLatest(events: object): Latest }>('lib/latest.js');

/** A guard with what it has shown, and questions that are answered by hand. */
function aGuard() {
  const shown: string[] = [];
  const busy: boolean[] = [];
  const latest = createLatest({
    onAnswer: (answer: string) => shown.push(answer),
    onError: (error: Error) => shown.push(`failed: ${error.message}`),
    onBusy: (is: boolean) => busy.push(is),
  });
  const question = () => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let signal: AbortSignal | null = null;
    const load = (given: AbortSignal) => {
      signal = given;
      return promise;
    };
    return { load, resolve, reject, wasAborted: () => signal?.aborted ?? null };
  };
  return { latest, shown, busy, question };
}

test('latest: an answer that comes after one asked for later is not shown', async () => {
  const { latest, shown, question } = aGuard();
  const [older, newer] = [question(), question()];
  const all = [latest.askNow(older.load), latest.askNow(newer.load)];
  newer.resolve('newer');
  older.resolve('older');
  await Promise.all(all);
  expect(shown).toEqual(['newer']);
});

test('latest: an answer of a question that was followed by another is not shown, though it comes first', async () => {
  const { latest, shown, question } = aGuard();
  const [older, newer] = [question(), question()];
  const first = latest.askNow(older.load);
  const second = latest.askNow(newer.load);
  expect(older.wasAborted()).toBe(true);
  older.resolve('older');
  await first;
  expect(shown).toEqual([]);
  newer.resolve('newer');
  await second;
  expect(shown).toEqual(['newer']);
});

test('latest: the failure of an older question does not stand in for a newer answer', async () => {
  const { latest, shown, question } = aGuard();
  const [older, newer] = [question(), question()];
  const all = [latest.askNow(older.load), latest.askNow(newer.load)];
  newer.resolve('newer');
  older.reject(new Error('too late'));
  await Promise.all(all);
  expect(shown).toEqual(['newer']);
});

test('latest: the clock asks nothing while a question is under way, and again when it is answered', async () => {
  const { latest, shown, question } = aGuard();
  const [first, skipped, next] = [question(), question(), question()];
  const asked = latest.askWhenIdle(first.load);
  await latest.askWhenIdle(skipped.load);
  expect(skipped.wasAborted()).toBeNull();
  first.resolve('first');
  await asked;
  const again = latest.askWhenIdle(next.load);
  next.resolve('next');
  await again;
  expect(shown).toEqual(['first', 'next']);
});

test('latest: what is cancelled shows nothing, and it is not busy any more', async () => {
  const { latest, shown, busy, question } = aGuard();
  const left = question();
  const asked = latest.askNow(left.load);
  latest.cancel();
  left.reject(new Error('aborted'));
  await asked;
  expect(shown).toEqual([]);
  expect(busy).toEqual([true, false]);
});

test('latest: an answer that cannot be shown is told as a failure', async () => {
  const told: string[] = [];
  const latest = createLatest({
    onAnswer() {
      throw new Error('not what a view takes');
    },
    onError: ({ message }: Error) => told.push(message),
    onBusy() {},
  });
  await latest.askNow(async () => 'answer');
  expect(told).toEqual(['not what a view takes']);
});
