import { expect, test } from 'vitest';
import { createSendByTurns } from '../../../producers/core/send-by-turns.ts';
import { createShardTurns } from '../../../producers/core/shard-turns.ts';

const shards = ['q', 'q-1', 'q-2', 'q-3'];
const chunks = [{ id: 'p.1.1', data: '{}' }];

/** Four shards on two servers, and what each of them does with a send: by turns, a, b, a, b. */
function setUp(answers: Record<number, () => Promise<void>>) {
  const serverOf = (index: number): string => (index % 2 === 0 ? 'a' : 'b');
  const turns = createShardTurns({ shards, serverOf, answerWithinMs: 10_000, now: () => 0, random: () => 0 });
  const asked: number[] = [];
  const abandoned: number[] = [];
  const movedOn: string[] = [];
  const { send } = createSendByTurns({
    shards,
    serverOf,
    turns,
    sendTo: async (index) => {
      asked.push(index);
      await answers[index]?.();
    },
    abandon: (index) => abandoned.push(index),
  });
  return { turns, asked, abandoned, movedOn, send: () => send(chunks, ({ message }) => movedOn.push(message)) };
}

const refusal = (message: string) => async (): Promise<void> => {
  throw Object.assign(new Error(message), { name: 'ReplyError' });
};

test('send by turns: what one server does not take, the next one gets within the same send', async () => {
  const { asked, abandoned, movedOn, send, turns } = setUp({ 0: refusal('OOM command not allowed') });
  await send();
  await send();
  await send();
  expect(asked).toEqual([0, 1, 3, 1]);
  expect(abandoned).toEqual([0]);
  expect(movedOn).toEqual(['OOM command not allowed']);
  expect(turns.leftAlone).toBe(2);
});

test('send by turns: a server that is silent is not waited for, and when it answers after all it is back', async () => {
  const answer = Promise.withResolvers<void>();
  const { asked, movedOn, send, turns } = setUp({ 0: () => answer.promise });
  await send();
  expect(asked).toEqual([0, 1]);
  expect(movedOn).toEqual(['redis did not answer in time']);
  expect(turns.leftAlone).toBe(2);
  answer.resolve();
  await answer.promise;
  await new Promise(setImmediate);
  expect(turns.leftAlone).toBe(0);
});

test('send by turns: a refusal of the content itself is not tried anywhere else, and the server is not at fault', async () => {
  const { asked, send, turns } = setUp({ 0: refusal('ERR Protocol error: invalid bulk length') });
  await expect(send()).rejects.toThrow('Protocol error');
  expect(asked).toEqual([0]);
  expect(turns.leftAlone).toBe(0);
});

test("send by turns: an answer without a known meaning is the shard's own, until a second one gives it too", async () => {
  const wrongType = refusal('WRONGTYPE Operation against a key holding the wrong kind of value');
  const one = setUp({ 0: wrongType });
  await one.send();
  expect(one.asked).toEqual([0, 1]);
  expect(one.turns.leftAlone).toBe(1);
  const all = setUp({ 0: wrongType, 1: wrongType, 2: wrongType, 3: wrongType });
  await expect(all.send()).rejects.toThrow('WRONGTYPE');
  expect(all.asked).toEqual([0, 1]);
});

test('send by turns: when no server takes it, the last error is thrown, and each server was asked once', async () => {
  const { asked, send, turns } = setUp({ 0: refusal('LOADING'), 1: refusal('READONLY You cannot write') });
  await expect(send()).rejects.toThrow('READONLY');
  expect(asked).toEqual([0, 1]);
  expect(turns.leftAlone).toBe(4);
});
