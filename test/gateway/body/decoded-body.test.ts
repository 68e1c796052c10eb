import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { bodyEncodings, decodedBody } from '../../../gateway/body/decoded-body.ts';

test.each(bodyEncodings)('decoded body: a sender that goes ends the reading, %s', async (encoding) => {
  const read = async (body: PassThrough): Promise<void> => {
    for await (const chunk of decodedBody(body, encoding, 1_000)) expect(chunk.length).toBe(0);
  };
  const goesMeanwhile = new PassThrough();
  const reading = read(goesMeanwhile);
  goesMeanwhile.destroy();
  await expect(reading).rejects.toThrow();

  const wentBefore = new PassThrough();
  wentBefore.destroy();
  await once(wentBefore, 'close');
  await expect(read(wentBefore)).rejects.toThrow();
});
