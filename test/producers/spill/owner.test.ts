import { expect, test } from 'vitest';
import { isOwnerAlive, type Owner, parseOwner, staleAfterMs } from '../../../producers/spill/owner.ts';
import { findProcess, identifyThisProcess } from '../../../producers/spill/process-identity.ts';
import { aDeadOwner, aLivingOwner } from '../../support/spill.ts';

const us = { pid: 10, host: 'web-1', bootId: 'b1', pidNamespace: 'pid:[1]', startedAt: '500' };
const other: Owner = { ...us, pid: 20, startedAt: '400', released: false };
const elsewhere: Owner = { ...other, host: 'web-2' };
const onHostOfSameName: Owner = { ...other, bootId: 'b2' };
const inAnotherContainer: Owner = { ...us, pidNamespace: 'pid:[2]', released: false };
const fresh = staleAfterMs - 1;

test.each<[name: string, alive: boolean, owner: Owner | null, runningSince: string | null, ageMs: number]>([
  ['it runs', true, other, '400', staleAfterMs * 100],
  ['it does not run', false, other, null, 0],
  ['its id belongs to another process now', false, other, '450', 0],
  ['we are it', true, { ...us, released: false }, '500', staleAfterMs * 100],
  ['it had our id before us, in the same container', false, { ...us, startedAt: '3', released: false }, '500', 0],
  ['the system does not tell starts, and its id is in use', true, { ...other, startedAt: '' }, '', 0],
  ['the system does not tell starts, and its id is free', false, { ...other, startedAt: '' }, null, 0],
  ['it is on another host, with a fresh lock', true, elsewhere, null, fresh],
  ['it is on another host, with an old lock', false, elsewhere, '400', staleAfterMs],
  ['it is on another host of the same name, with a fresh lock', true, onHostOfSameName, null, fresh],
  ['it is on another host of the same name, with an old lock', false, onHostOfSameName, '400', staleAfterMs],
  ['its lock has no boot id and is fresh', true, { ...other, bootId: '' }, null, fresh],
  ['it has our id in another container, with a fresh lock', true, inAnotherContainer, '500', fresh],
  ['it has our id in another container, with an old lock', false, inAnotherContainer, '500', staleAfterMs],
  ['it has released the directory', false, { ...other, released: true }, '400', 0],
  ['its lock cannot be read and is fresh', true, null, null, fresh],
  ['its lock cannot be read and is old', false, null, null, staleAfterMs],
])('owner: %s', (_name, alive, owner, runningSince, ageMs) => {
  expect(isOwnerAlive({ owner, runningSince, ageMs }, us)).toBe(alive);
});

test.each([
  '',
  '{',
  'null',
  '7',
  '{"pid":1}',
  '{"pid":"1","host":"a","pidNamespace":"","startedAt":"","released":false}',
])('owner: the lock %j is not whole', (text) => {
  expect(parseOwner(text)).toBeNull();
});

test('owner: a whole lock is read back, one of a time without boot ids, too', () => {
  expect(parseOwner(JSON.stringify(other))).toEqual(other);
  expect(parseOwner(JSON.stringify({ ...other, bootId: undefined }))).toEqual({ ...other, bootId: '' });
  expect(parseOwner(JSON.stringify({ ...other, bootId: 7 }))).toBeNull();
});

test('processes: on Linux, this one knows the run of its kernel', async () => {
  const { bootId } = await identifyThisProcess();
  if (process.platform === 'linux') expect(bootId).toMatch(/^[0-9a-f-]{36}$/);
  expect((await aDeadOwner()).bootId).toBe(bootId);
});

test('processes: this one and a child run since some time, one that has ended does not', async () => {
  expect((await identifyThisProcess()).startedAt).not.toBe('');
  expect(await findProcess(process.pid)).toBe((await identifyThisProcess()).startedAt);
  const { owner, kill } = await aLivingOwner();
  expect(await findProcess(owner.pid)).toBe(owner.startedAt);
  await kill();
  expect(await findProcess(owner.pid)).toBeNull();
  expect(await findProcess((await aDeadOwner()).pid)).toBeNull();
});
