import { expect, test } from 'vitest';
import { isKnownToHaveEnded, type Owner, parseOwner } from '../../../producers/spill/owner.ts';
import { findProcess, identifyThisProcess } from '../../../producers/spill/process-identity.ts';
import { aDeadOwner, aLivingOwner } from '../../support/spill.ts';

const us = { pid: 10, host: 'web-1', bootId: 'b1', pidNamespace: 'pid:[1]', startedAt: '500' };
const other: Owner = { ...us, pid: 20, startedAt: '400', released: false };
const elsewhere: Owner = { ...other, host: 'web-2' };
const onHostOfSameName: Owner = { ...other, bootId: 'b2' };
const inAnotherContainer: Owner = { ...us, pidNamespace: 'pid:[2]', released: false };

test.each<[name: string, hasEnded: boolean, owner: Owner | null, runningSince: string | null]>([
  ['it runs', false, other, '400'],
  ['it does not run', true, other, null],
  ['its id belongs to another process now', true, other, '450'],
  ['we are its process', false, { ...us, released: false }, '500'],
  ['it had our id before us, in the same container', true, { ...us, startedAt: '3', released: false }, '500'],
  ['the system does not tell starts, and its id is in use', false, { ...other, startedAt: '' }, ''],
  ['the system does not tell starts, and its id is free', true, { ...other, startedAt: '' }, null],
  ['it is on another host', false, elsewhere, null],
  ['it is on another host of the same name', false, onHostOfSameName, null],
  ['its lock has no boot id', false, { ...other, bootId: '' }, null],
  ['it has our id in another container', false, inAnotherContainer, '500'],
  ['it has released the directory', true, { ...other, released: true }, '400'],
  ['its lock cannot be read', false, null, null],
])('owner: whether it is known to have ended when %s', (_name, hasEnded, owner, runningSince) => {
  expect(isKnownToHaveEnded({ owner, runningSince, heartbeat: '', heartbeatAtMs: 0 }, us)).toBe(hasEnded);
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
