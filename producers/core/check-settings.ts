import { producerNamePattern } from '../../shared/contracts/chunk.ts';
import { maxShards } from '../../shared/contracts/queues.ts';
import type { SendingSettings } from '../../shared/platform/config/producer-config.ts';

/** @throws RangeError that names the first size that is not a positive whole number */
export function checkSizes(sizes: Record<string, number>): void {
  for (const [name, value] of Object.entries(sizes)) {
    if (!(Number.isSafeInteger(value) && value >= 1))
      throw new RangeError(`${name} is ${value}; accepted: a whole number of at least 1`);
  }
}

/** Checks the settings that all producers share. @throws RangeError that names the setting */
export function checkProducer({ name, chunk, spill, memoryShare, shards }: SendingSettings): void {
  checkSizes({
    'producer.chunk.maxRecords': chunk.maxRecords,
    'producer.chunk.maxBytes': chunk.maxBytes,
    'producer.spill.maxBytes': spill.maxBytes,
  });
  if (!(chunk.maxWaitMs >= 0 && chunk.maxWaitMs <= 60_000))
    throw new RangeError(`producer.chunk.maxWaitMs is ${chunk.maxWaitMs}; accepted: 0 to 60000 milliseconds`);
  const { dir, fsyncMs } = spill;
  if (!(dir === null || (typeof dir === 'string' && dir !== '')))
    throw new RangeError(`producer.spill.dir is ${JSON.stringify(dir)}; accepted: the path of a directory, or null`);
  if (!(fsyncMs >= 0 && fsyncMs <= 60_000))
    throw new RangeError(`producer.spill.fsyncMs is ${fsyncMs}; accepted: 0 to 60000 milliseconds`);
  if (!(memoryShare > 0 && memoryShare <= 1))
    throw new RangeError(`producer.memoryShare is ${memoryShare}; accepted: more than 0 and at most 1`);
  if (!(Number.isSafeInteger(shards) && shards >= 1 && shards <= maxShards))
    throw new RangeError(`producer.shards is ${shards}; accepted: a whole number from 1 to ${maxShards}`);
  if (name !== null && !producerNamePattern.test(name))
    throw new RangeError(`producer.name is ${JSON.stringify(name)}; accepted: 1 to 100 letters, digits, - or _`);
}
