import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createLogger } from '../../../shared/platform/logging/logger.ts';
import { createHealthMetrics } from '../../../workers/health-events/metrics.ts';
import { createObserver } from '../../../workers/health-events/observer.ts';
import { standby } from '../../../workers/health-events/view.ts';

const sources = {
  isLeader: () => true,
  behind: () => null,
  lagSeconds: () => null,
  heldEntries: () => 0,
  isRefusedByLobby: () => null,
  outboxRows: async () => null,
  stuckRecords: async () => null,
  isOutage: () => false,
};

test('observer: the log tells of dead entries together, and of the last ones when the session ends', () => {
  const lines: { entries: number; last_entry_id: string }[] = [];
  const logger = createLogger({ level: 'warn', name: 'test' }, { write: (line) => lines.push(JSON.parse(line)) });
  const metrics = createHealthMetrics(new Registry(), sources);
  const { onBad, close } = createObserver({ metrics, logger, view: { ...standby, commits: 0, trouble: null } });
  for (const id of ['1-0', '2-0', '3-0'])
    onBad({
      id,
      problem: 'malformed',
      reason: 'no game',
      fields: [],
      cut: null,
      before: { lastId: '0-0', entriesRead: 0 },
    });
  expect(lines).toMatchObject([{ entries: 1, last_entry_id: '1-0' }]);
  close();
  expect(lines).toMatchObject([{ entries: 1 }, { entries: 2, last_entry_id: '3-0' }]);
});
