/** Prints runs of the bench's mix as NDJSON, as a scoring service passes them to record(): node clients/python/bench/rows.ts 1000 */

import { createRows } from '../../../bench/rows.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';

const count = Number(process.argv[2] ?? 1_000);
const rows = createRows(count, loadConfig({}, ['producer']).producer);
for (let index = 0; index < count; index += 1) {
  const { id, recordedAt, ...execution } = rows.execution(index);
  process.stdout.write(`${JSON.stringify(execution)}\n`);
}
