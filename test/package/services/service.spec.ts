import { test } from 'vitest';
import { run } from './run.js';

test('a service under Vitest', async () => {
  await run(process.env.STRATEGY ?? '', process.env.REQUEST ?? '');
});
