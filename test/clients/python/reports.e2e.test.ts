import { expect, inject, test } from 'vitest';
import { parseReport } from '../../../shared/contracts/ledger-report-schema.ts';
import { createNamespace, openQueue } from '../../support/fixtures.ts';
import { startPythonProcess } from '../../support/python.ts';
import { recordsOf } from '../../support/records-of.ts';
import { startRestartableGateway } from '../../support/restartable-gateway.ts';
import { readMinutes, sum } from '../../support/session-books.ts';

test('python client: when its process ends, the queue has its records and its last report, which tells of all of them', async () => {
  const namespace = createNamespace();
  const gateway = await startRestartableGateway({ redisUrl: inject('redisUrl'), namespace });
  const service = await startPythonProcess('leaving_process.py', {
    SLUICE_GATEWAY_URL: gateway.url,
    SLUICE_EXIT_TIMEOUT_S: '20',
    TEST_HOW: 'end',
    TEST_RECORDS: '50',
  });
  expect(await service.ended, service.stderr.join('\n')).toBe(0);
  const jobs = await openQueue(namespace).getJobs(['waiting'], 0, -1, true);
  expect(jobs.flatMap((job) => recordsOf(job))).toHaveLength(50);
  const reports = jobs
    .filter(({ name }) => name === 'report')
    .map(({ data }) => {
      const parsed = parseReport(data);
      if (parsed.kind !== 'report') throw new Error(parsed.reason);
      return parsed.job;
    })
    .filter(({ report }) => report.kind === 'python');
  const last = reports.at(-1) ?? expect.unreachable();
  expect(last.producer).toMatch(/^[A-Za-z0-9-]+@anonymous$/);
  expect(last.report).toMatchObject({ isFinal: true, waitingRecords: 0, totals: { recorded: 50, handed: 50 } });
  const told = readMinutes(
    reports.map(({ report }) => report),
    ({ handed = 0 }) => handed,
  );
  expect(sum(Object.values(told))).toBe(50);
});
