import { expect, test } from 'vitest';
import { readCases } from '../../contracts/conformance-case.ts';
import { runConformance } from '../../contracts/run-conformance.ts';
import { aConformancePlace, gatewaySender, jobSender, sdkProcessSender, sdkSender } from '../support/conformance.ts';

const cases = readCases();

test('conformance: the SDK is as the kit says', async () => {
  const place = await aConformancePlace();
  expect(await runConformance(cases, { sender: sdkSender(place), query: place.query })).toEqual([]);
});

test('conformance: a program that gets the kit on stdin is as the kit says', async () => {
  const place = await aConformancePlace();
  expect(await runConformance(cases, { sender: sdkProcessSender(place), query: place.query })).toEqual([]);
});

test('conformance: the gateway is as the kit says', async () => {
  const place = await aConformancePlace();
  expect(await runConformance(cases, { sender: await gatewaySender(place), query: place.query })).toEqual([]);
});

test('conformance: a job of plain Redis commands is as the kit says', async () => {
  const place = await aConformancePlace();
  expect(await runConformance(cases, { sender: jobSender(place), query: place.query })).toEqual([]);
});

test('conformance: the kit notices what repairs where it should refuse', async () => {
  const place = await aConformancePlace();
  const sender = { ...sdkSender(place), face: 'gateway' as const };
  const problems = await runConformance(cases, { sender, query: place.query });
  const differing = cases.filter(({ expectOf }) => expectOf?.client !== undefined).map(({ name }) => name);
  const noticed = differing.filter((name) => problems.some((problem) => problem.startsWith(`${name}: `)));
  expect(noticed).toEqual(differing);
});

test('conformance: no two cases have one name, and no two one row', () => {
  const names = cases.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const found = cases.map(({ find }) => JSON.stringify(find)).filter((find) => !find.includes('"kit-none"'));
  expect(new Set(found).size).toBe(found.length);
});
