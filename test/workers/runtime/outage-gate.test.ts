import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { createOutageGate, OwnFaultError, StoppedError } from '../../../workers/runtime/outage-gate.ts';

const outage = () => Object.assign(new Error('connection is gone'), { code: '08006', severity: 'FATAL' });
const refusal = () => Object.assign(new Error('a value is wrong'), { code: '22P02', severity: 'ERROR' });

/** A gate without waits between attempts, and what it was told. */
function aGate(rehearse: () => Promise<unknown> = () => Promise.reject(outage())) {
  const giveUp = new AbortController();
  const told: string[] = [];
  const gate = createOutageGate({
    backoff: { baseMs: 1, maxMs: 1 },
    random: () => 0,
    signal: giveUp.signal,
    rehearse,
    onRetry: ({ code }) => told.push(code),
    onRecovered: (attempts) => told.push(`recovered after ${attempts}`),
  });
  return { gate, giveUp, told };
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

test('gate: while the database answers, statements do not wait for each other', async () => {
  const { gate, told } = aGate();
  const { state, statement } = aDatabase();
  expect(await Promise.all(['a', 'b', 'c'].map((name) => gate.run(statement(name))))).toEqual(['a', 'b', 'c']);
  expect(state.mostAtOnce).toBe(3);
  expect(told).toEqual([]);
});

test('gate: nothing of a statement that has ended is kept', async () => {
  const { gate, giveUp } = aGate();
  const { statement } = aDatabase();
  for (let done = 0; done < 10; done += 1) await gate.run(statement('a'));
  await expect(gate.run(() => Promise.reject(refusal()))).rejects.toThrow();
  await turn();
  expect(getEventListeners(giveUp.signal, 'abort')).toEqual([]);
});

test('gate: in an outage one statement alone is repeated, and all get through after it', async () => {
  const { gate, told } = aGate();
  const { state, statement } = aDatabase();
  state.isUp = false;
  const early = ['a', 'b', 'c'].map((name) => gate.run(statement(name)));
  await vi.waitUntil(() => told.length > 20);
  const late = ['d', 'e'].map((name) => gate.run(statement(name)));
  state.mostAtOnce = 0;
  const before = state.statements;
  const toldBefore = told.length;
  await vi.waitUntil(() => told.length > toldBefore + 20);
  expect(state.statements).toBeGreaterThan(before);
  expect(state.mostAtOnce).toBe(1);
  expect(gate.isOutage).toBe(true);

  state.isUp = true;
  expect(await Promise.all([...early, ...late])).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(gate.isOutage).toBe(false);
  expect(told.filter((line) => line.startsWith('recovered'))).toHaveLength(1);
});

test('gate: a trial that is refused for what is in it shows that the database answers', async () => {
  const { gate } = aGate();
  const { state, statement } = aDatabase();
  state.isUp = false;
  let failWith = outage;
  const bad = gate.run(async () => {
    await turn();
    throw failWith();
  });
  const good = gate.run(statement('good'));
  await vi.waitUntil(() => gate.isOutage);
  state.isUp = true;
  failWith = refusal;
  await expect(bad).rejects.toMatchObject({ code: '22P02', severity: 'ERROR' });
  expect(await good).toBe('good');
});

test('gate: what waiting cannot help opens no outage', async () => {
  const { gate, told } = aGate();
  await expect(gate.run(() => Promise.reject(refusal()))).rejects.toMatchObject({ code: '22P02', severity: 'ERROR' });
  expect(gate.isOutage).toBe(false);
  expect(told).toEqual([]);
});

test('gate: when the time is up, all give up at once, those included that have no answer yet', async () => {
  const { gate, giveUp } = aGate();
  const { state, statement } = aDatabase();
  const unanswered = gate.run(() => new Promise<never>(() => undefined));
  state.isUp = false;
  const waiting = ['a', 'b', 'c'].map((name) => gate.run(statement(name)));
  await vi.waitUntil(() => gate.isOutage);
  giveUp.abort();
  const ends = await Promise.allSettled([unanswered, ...waiting, gate.run(statement('late'))]);
  expect(ends.map(({ status }) => status)).toEqual(new Array(5).fill('rejected'));
  expect((ends[0] as PromiseRejectedResult).reason).toBeInstanceOf(StoppedError);
});

test.each(['57014', '55P03', '40P01', '40001', '53200'])(
  'gate: %s is of the statement that met it, and holds up no other',
  async (code) => {
    const { gate, told } = aGate();
    const locked = gate.run(() => Promise.reject(Object.assign(new Error('locked'), { code, severity: 'ERROR' })));
    await expect(locked).rejects.toMatchObject({ code });
    expect(gate.isOutage).toBe(false);
    expect(told).toEqual([]);
  },
);

test('gate: who watches during an outage is told at once', async () => {
  const { gate, giveUp } = aGate();
  const { state, statement } = aDatabase();
  state.isUp = false;
  const waiting = gate.run(statement('a'));
  await vi.waitUntil(() => gate.isOutage);
  const tell = vi.fn();
  gate.onOutage(tell);
  expect(tell).toHaveBeenCalledOnce();
  giveUp.abort();
  await expect(waiting).rejects.toThrow();
});

test('gate: an outage is told to those who watch, until they look away', async () => {
  const { gate } = aGate();
  const tell = vi.fn();
  const unwatch = gate.onOutage(tell);
  const failOnce = () => {
    let failed = false;
    return async () => {
      if (failed) return 'done';
      failed = true;
      throw outage();
    };
  };
  await gate.run(failOnce());
  expect(tell).toHaveBeenCalledOnce();
  unwatch();
  await gate.run(failOnce());
  expect(tell).toHaveBeenCalledOnce();
});

const internal = () => Object.assign(new Error('internal'), { code: 'XX000', severity: 'ERROR' });
const goodIsTaken = async (): Promise<void> => undefined;

test('gate: a statement that fails alike three times, while a good record is taken each time, is itself at fault', async () => {
  const { gate, told } = aGate(goodIsTaken);
  const work = vi.fn(() => Promise.reject(internal()));
  await expect(gate.run(work)).rejects.toBeInstanceOf(OwnFaultError);
  expect(work).toHaveBeenCalledTimes(3);
  expect(told).toEqual(['XX000', 'XX000']);
  expect(gate.isOutage).toBe(false);
});

test('gate: failures in different ways are not added up', async () => {
  const { gate } = aGate(goodIsTaken);
  const codes = ['XX000', 'ZZ001', 'XX000', 'ZZ001', 'XX000'];
  const work = vi.fn(async () => {
    const code = codes.shift();
    if (code !== undefined) throw Object.assign(new Error(code), { code, severity: 'ERROR' });
    return 'done';
  });
  expect(await gate.run(work)).toBe('done');
  expect(work).toHaveBeenCalledTimes(6);
});

test('gate: a connection that breaks in many ways breaks alike', async () => {
  const { gate } = aGate(goodIsTaken);
  const codes = ['57P01', '08006', 'ECONNRESET'];
  const work = vi.fn(async () => {
    const code = codes.shift();
    throw Object.assign(new Error('gone'), { code, syscall: 'read', errno: -104 });
  });
  await expect(gate.run(work)).rejects.toBeInstanceOf(OwnFaultError);
});

test('gate: while not even a good record is taken, nothing is at fault, however often it fails', async () => {
  let isUp = false;
  const { gate, told } = aGate(async () => {
    if (!isUp) throw internal();
  });
  const failing = gate.run(async () => {
    if (!isUp) throw internal();
    return 'done';
  });
  await vi.waitUntil(() => told.length > 20);
  isUp = true;
  expect(await failing).toBe('done');
});

test('gate: others go on while one fails for its own sake', async () => {
  const { gate, told } = aGate(goodIsTaken);
  let isMended = false;
  const odd = gate.run(
    async () => {
      if (!isMended) throw internal();
      return 'odd';
    },
    { tries: 1_000_000 },
  );
  await vi.waitUntil(() => told.length > 3);
  expect(await gate.run(async () => 'other')).toBe('other');
  isMended = true;
  expect(await odd).toBe('odd');
});

test.each(['53100', '40002', 'P2024'])(
  'gate: for %s nothing is blamed: it is thrown as it is, once the database takes a good record',
  async (code) => {
    const { gate } = aGate(goodIsTaken);
    const error = Object.assign(new Error('lacking'), { code, severity: 'ERROR' });
    await expect(gate.run(() => Promise.reject(error))).rejects.toBe(error);
  },
);

test('gate: a refusal of rows that counts for good is believed only when good rows are taken', async () => {
  let isMended = false;
  const { gate, told } = aGate(async () => {
    if (!isMended) throw refusal();
  });
  const last = gate.run(() => Promise.reject(refusal()), { isSceptical: true });
  await vi.waitUntil(() => told.length > 3);
  expect(gate.isOutage).toBe(true);
  isMended = true;
  await expect(last).rejects.toMatchObject({ code: '22P02', severity: 'ERROR' });
  expect(gate.isOutage).toBe(false);
});

test('gate: an outage lasts from one refusal to the next, also while it is tried again', async () => {
  let isMended = false;
  const told: boolean[] = [];
  const { gate } = aGate(() => Promise.reject(refusal()));
  const stored = gate.run(
    async () => {
      told.push(gate.isOutage);
      await turn();
      if (!isMended) throw refusal();
      return 'stored';
    },
    { isSceptical: true },
  );
  await vi.waitUntil(() => told.length >= 4);
  isMended = true;
  expect(await stored).toBe('stored');
  expect(told).toEqual([false, ...told.slice(1).map(() => true)]);
  expect(gate.isOutage).toBe(false);
});

test('gate: where the good record is refused for its own sake, rows of others that go through show as much', async () => {
  const { gate, told } = aGate(() => Promise.reject(refusal()));
  const last = gate.run(() => Promise.reject(refusal()), { isSceptical: true });
  const ended = expect(last).rejects.toMatchObject({ code: '22P02', severity: 'ERROR' });
  await vi.waitUntil(() => told.length > 0);
  await gate.run(async () => 'other');
  await ended;
});

test('gate: what was refused just before the cause was mended is tried once more', async () => {
  let isMended = false;
  let rehearsals = 0;
  const { gate } = aGate(async () => {
    rehearsals += 1;
    // Mended between the last refusal and this rehearsal.
    if (rehearsals > 3) isMended = true;
    if (!isMended) throw refusal();
  });
  const last = gate.run(
    async () => {
      if (!isMended) throw refusal();
      return 'done';
    },
    { isSceptical: true },
  );
  expect(await last).toBe('done');
});

test('gate: what got through is not repeated when whoever is told of it fails', async () => {
  const { signal } = new AbortController();
  const gate = createOutageGate({
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
  await expect(gate.run(work)).rejects.toThrow('the log is broken');
  expect(tries).toBe(2);
});
