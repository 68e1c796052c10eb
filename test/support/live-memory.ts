import { resolve } from 'node:path';
import { until } from './fixtures.ts';
import type { SluiceProcess } from './fleet.ts';

/** For NODE_OPTIONS of a process whose live memory is asked for. */
export const tellLiveMemory = `--import ${resolve('test/support/tell-live-memory.mjs')}`;

/** What a process holds after everything that can go has gone, heap and buffers, in MiB. */
export async function liveMemoryMib(of: SluiceProcess): Promise<number> {
  const lines = of.stderr.length;
  of.kill('SIGUSR2');
  const line = await until(() => of.stderr.slice(lines).find((text) => text.startsWith('live memory')));
  return Number(line.split(' ').at(-1));
}
