import { run } from './run.js';

run(process.env.STRATEGY ?? '', process.env.REQUEST ?? '').catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
