import { run } from './run';

test('a service under Jest', async () => {
  await run(process.env.STRATEGY ?? '', process.env.REQUEST ?? '');
});
