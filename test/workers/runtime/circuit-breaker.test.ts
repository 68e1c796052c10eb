import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { createCircuitBreaker, OwnFaultError, StoppedError } from '../../../workers/runtime/circuit-breaker.ts';

const outage = () => Object.assign(new Error('connection is gone'), { code: '08006', severity: 'FATAL' });
const refusal = () => Object.assign(new Error('a value is wrong'), { code: '22P02', severity: 'ERROR' });

/** A breaker without waits between attempts, and what it was told. */
function aGate(rehearse: () => Promise<unknown> = () => Promise.reject(outage())) {
  const giveUp = new AbortController();
  const told: string[] = [];
  const breaker = createCircuitBreaker({
    backoff: { baseMs: 1, maxMs: 1 },
    random: () => 0,
    signal: giveUp.signal,
    rehearse,
    onRetry: ({ code }) => told.push(code),
    onRecovered: (attempts) => told.push(`recovered after ${attempts}`),
  });
  return { breaker, giveUp, told };
}

/** A database that statements reach or not, as the test says, and that counts those that came. */
function aDatabase() {
  const state = { isUp: true, statements: 0, atOnce: 0, mostAtOnce: 0 };
  const statement =
    (result: string, failWith: () => Error = outage) =>
    async () => {
      state.statements += 1;
      state.atOnce += 1;
      state.mostAtOnce = Math.max(state.mostAtOnce, state.atOnce);
      const isUp = state.isUp;
      await turn();
      state.atOnce -= 1;
      if (!isUp) throw failWith();
      return result;
    };
  return { state, statement };
}

test('breaker: while the database answers, statements do not wait for each other', async () => {
  const { breaker, told } = aGate();
  const { state, statement } = aDatabase();
  expect(await Promise.all(['a', 'b', 'c'].map((name) => breaker.run(statement(name))))).toEqual(['a', 'b', 'c']);
  expect(state.mostAtOnce).toBe(3);
  expect(told).toEqual([]);
});

test('breaker: nothing of a statement that has ended is kept', async () => {
  const { breaker, giveUp } = aGate();
  const { statement } = aDatabase();
  for (let done = 0; done < 10; done += 1) await breaker.run(statement('a'));
  await expect(breaker.run(() => Promise.reject(refusal()))).rejects.toThrow();
  await turn();
  expect(getEventListeners(giveUp.signal, 'abort')).toEqual([]);
});

test('breaker: in an outage one statement alone is repeated, and all get through after it', async () => {
  const { breaker, told } = aGate();
  const { state, statement } = aDatabase();
  state.isUp = false;
  const early = ['a', 'b', 'c'].map((name) => breaker.run(statement(name)));
  await vi.waitUntil(() => told.length > 20);
  const late = ['d', 'e'].map((name) => breaker.run(statement(name)));
  state.mostAtOnce = 0;
  const before = state.statements;
  const toldBefore = told.length;
  await vi.waitUntil(() => told.length > toldBefore + 20);
  expect(state.statements).toBeGreaterThan(before);
  expect(state.mostAtOnce).toBe(1);
  expect(breaker.isOutage).toBe(true);

  state.isUp = true;
  expect(await Promise.all([...early, ...late])).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(breaker.isOutage).toBe(false);
  expect(told.filter((line) => line.startsWith('recovered'))).toHaveLength(1);
});

test('breaker: a probe that is refused for what is in it shows that the database answers', async () => {
  const { breaker } = aGate();
  const { state, statement } = aDatabase();
  state.isUp = false;
  let failWith = outage;
  const bad = breaker.run(async () => {
    await turn();
    throw failWith();
  });
  const good = breaker.run(statement('good'));
  await vi.waitUntil(() => breaker.isOutage);
  state.isUp = true;
  failWith = refusal;
  await expect(bad).rejects.toMatchObject({ code: '22P02', severity: 'ERROR' });
  expect(await good).toBe('good');
});

test('breaker: what waiting cannot help opens no outage', async () => {
  const { breaker, told } = aGate();
  await expect(breaker.run(() => Promise.reject(refusal()))).rejects.toMatchObject({
    code: '22P02',
    severity: 'ERROR',
  });
  expect(breaker.isOutage).toBe(false);
  expect(told).toEqual([]);
});

test('breaker: when the time is up, all give up at once, those included that have no answer yet', async () => {
  const { breaker, giveUp } = aGate();
  const { state, statement } = aDatabase();
  const unanswered = breaker.run(() => new Promise<never>(() => undefined));
  state.isUp = false;
  const waiting = ['a', 'b', 'c'].map((name) => breaker.run(statement(name)));
  await vi.waitUntil(() => breaker.isOutage);
  giveUp.abort();
  const ends = await Promise.allSettled([unanswered, ...waiting, breaker.run(statement('late'))]);
  expect(ends.map(({ status }) => status)).toEqual(new Array(5).fill('rejected'));
  expect((ends[0] as PromiseRejectedResult).reason).toBeInstanceOf(StoppedError);
});

test.each(['57014', '55P03', '40P01', '40001', '53200'])(
  'breaker: %s is of the statement that met it, and holds up no other',
  async (code) => {
    const { breaker, told } = aGate();
    const locked = breaker.run(() => Promise.reject(Object.assign(new Error('locked'), { code, severity: 'ERROR' })));
    await expect(locked).rejects.toMatchObject({ code });
    expect(breaker.isOutage).toBe(false);
    expect(told).toEqual([]);
  },
);

test('breaker: who watches during an outage is told at once', async () => {
  const { breaker, giveUp } = aGate();
  const { state, statement } = aDatabase();
  state.isUp = false;
  const waiting = breaker.run(statement('a'));
  await vi.waitUntil(() => breaker.isOutage);
  const tell = vi.fn();
  breaker.onOutage(tell);
  expect(tell).toHaveBeenCalledOnce();
  giveUp.abort();
  await expect(waiting).rejects.toThrow();
});

test('breaker: an outage is told to those who watch, until they look away', async () => {
  const { breaker } = aGate();
  const tell = vi.fn();
  const unwatch = breaker.onOutage(tell);
  const failOnce = () => {
    let failed = false;
    return async () => {
      if (failed) return 'done';
      failed = true;
      throw outage();
    };
  };
  await breaker.run(failOnce());
  expect(tell).toHaveBeenCalledOnce();
  unwatch();
  await breaker.run(failOnce());
  expect(tell).toHaveBeenCalledOnce();
});

const internal = () => Object.assign(new Error('internal'), { code: 'XX000', severity: 'ERROR' });
const goodIsTaken = async (): Promise<void> => undefined;

test('breaker: a statement that fails alike three times, while a good record is taken each time, is itself at fault', async () => {
  const { breaker, told } = aGate(goodIsTaken);
  const work = vi.fn(() => Promise.reject(internal()));
  await expect(breaker.run(work)).rejects.toBeInstanceOf(OwnFaultError);
  expect(work).toHaveBeenCalledTimes(3);
  expect(told).toEqual(['XX000', 'XX000']);
  expect(breaker.isOutage).toBe(false);
});

test('breaker: failures in different ways are not added up', async () => {
  const { breaker } = aGate(goodIsTaken);
  const codes = ['XX000', 'ZZ001', 'XX000', 'ZZ001', 'XX000'];
  const work = vi.fn(async () => {
    const code = codes.shift();
    if (code !== undefined) throw Object.assign(new Error(code), { code, severity: 'ERROR' });
    return 'done';
  });
  expect(await breaker.run(work)).toBe('done');
  expect(work).toHaveBeenCalledTimes(6);
});

test('breaker: a connection that breaks in many ways breaks alike', async () => {
  const { breaker } = aGate(goodIsTaken);
  const codes = ['57P01', '08006', 'ECONNRESET'];
  const work = vi.fn(async () => {
    const code = codes.shift();
    throw Object.assign(new Error('gone'), { code, syscall: 'read', errno: -104 });
  });
  await expect(breaker.run(work)).rejects.toBeInstanceOf(OwnFaultError);
});

test('breaker: while not even a good record is taken, nothing is at fault, however often it fails', async () => {
  let isUp = false;
  const { breaker, told } = aGate(async () => {
    if (!isUp) throw internal();
  });
  const failing = breaker.run(async () => {
    if (!isUp) throw internal();
    return 'done';
  });
  await vi.waitUntil(() => told.length > 20);
  isUp = true;
  expect(await failing).toBe('done');
});

test('breaker: others go on while one fails for its own sake', async () => {
  const { breaker, told } = aGate(goodIsTaken);
  let isMended = false;
  const odd = breaker.run(
    async () => {
      if (!isMended) throw internal();
      return 'odd';
    },
    { tries: 1_000_000 },
  );
  await vi.waitUntil(() => told.length > 3);
  expect(await breaker.run(async () => 'other')).toBe('other');
  isMended = true;
  expect(await odd).toBe('odd');
});

test.each(['53100', '40002', 'P2024'])(
  'breaker: for %s nothing is blamed: it is thrown as it is, once the database takes a good record',
  async (code) => {
    const { breaker } = aGate(goodIsTaken);
    const error = Object.assign(new Error('lacking'), { code, severity: 'ERROR' });
    await expect(breaker.run(() => Promise.reject(error))).rejects.toBe(error);
  },
);

test('breaker: a refusal of rows that counts for good is believed only when good rows are taken', async () => {
  let isMended = false;
  const { breaker, told } = aGate(async () => {
    if (!isMended) throw refusal();
  });
  const last = breaker.run(() => Promise.reject(refusal()), { needsControl: true });
  await vi.waitUntil(() => told.length > 3);
  expect(breaker.isOutage).toBe(true);
  isMended = true;
  await expect(last).rejects.toMatchObject({ code: '22P02', severity: 'ERROR' });
  expect(breaker.isOutage).toBe(false);
});

test('breaker: an outage lasts from one refusal to the next, also while it is tried again', async () => {
  let isMended = false;
  const told: boolean[] = [];
  const { breaker } = aGate(() => Promise.reject(refusal()));
  const stored = breaker.run(
    async () => {
      told.push(breaker.isOutage);
      await turn();
      if (!isMended) throw refusal();
      return 'stored';
    },
    { needsControl: true },
  );
  await vi.waitUntil(() => told.length >= 4);
  isMended = true;
  expect(await stored).toBe('stored');
  expect(told).toEqual([false, ...told.slice(1).map(() => true)]);
  expect(breaker.isOutage).toBe(false);
});

test('breaker: where the good record is refused for its own sake, rows of others that go through show as much', async () => {
  const { breaker, told } = aGate(() => Promise.reject(refusal()));
  const last = breaker.run(() => Promise.reject(refusal()), { needsControl: true });
  const ended = expect(last).rejects.toMatchObject({ code: '22P02', severity: 'ERROR' });
  await vi.waitUntil(() => told.length > 0);
  await breaker.run(async () => 'other');
  await ended;
});

test('breaker: what was refused just before the cause was mended is tried once more', async () => {
  let isMended = false;
  let rehearsals = 0;
  const { breaker } = aGate(async () => {
    rehearsals += 1;
    // Mended between the last refusal and this rehearsal.
    if (rehearsals > 3) isMended = true;
    if (!isMended) throw refusal();
  });
  const last = breaker.run(
    async () => {
      if (!isMended) throw refusal();
      return 'done';
    },
    { needsControl: true },
  );
  expect(await last).toBe('done');
});

test('breaker: what got through is not repeated when whoever is told of it fails', async () => {
  const { signal } = new AbortController();
  const breaker = createCircuitBreaker({
    ...{ backoff: { baseMs: 1, maxMs: 1 }, random: () => 0, signal },
    rehearse: () => Promise.reject(outage()),
    onRetry: () => undefined,
    onRecovered() {
      throw new Error('the log is broken');
    },
  });
  let tries = 0;
  const work = async (): Promise<string> => {
    tries += 1;
    if (tries === 1) throw outage();
    return 'done';
  };
  await expect(breaker.run(work)).rejects.toThrow('the log is broken');
  expect(tries).toBe(2);
});
