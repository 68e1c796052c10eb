// Loaded into a process by NODE_OPTIONS: at SIGUSR2 it collects all garbage and writes what is left, buffers included, in MiB, to standard error.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
process.on('SIGUSR2', () => {
  collect();
  // What is freed with the garbage of the first turn goes in the second one.
  setImmediate(() => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    process.stderr.write(`live memory ${(heapUsed + external) / 1_048_576}\n`);
  });
});
