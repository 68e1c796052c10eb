import { eraseCreator } from '../../erasure/erase-creator.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';

/** A process of its own that erases TEST_CREATOR row by row, and prints how many are gone. It is there to be killed. */
const database = createDatabase(loadConfig(process.env).database, 'erasing');
const erased = await eraseCreator(database, process.env['TEST_CREATOR'] ?? '', {
  chunk: 1,
  onProgress: ({ requests }) => console.log(requests),
});
console.log(JSON.stringify(erased));
await database.$disconnect();
