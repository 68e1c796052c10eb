import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { aPage } from './a-page.ts';
import { findSerious } from './axe.ts';
import { busiest, second } from './demo-data.ts';
import { aStage, fill } from './stage.ts';
import { views } from './view-addresses.ts';

const sizes = [
  { name: 'wide', width: 1280, height: 900 },
  { name: 'narrow', width: 400, height: 800 },
];
const schemes = ['light', 'dark'] as const;

/** Each view four times, with axe: on a machine that is busy otherwise it takes longer than other tests may. */
const manyViewsMs = 300_000;

test(
  'every view: at every size and in both schemes it shows its data, fits, and axe finds nothing serious',
  async () => {
    const stage = await aStage();
    await fill(stage);
    const found: string[] = [];
    for (const { name: size, width, height } of sizes) {
      for (const scheme of schemes) {
        const { page, problems } = await aPage({ viewport: { width, height }, colorScheme: scheme });
        for (const view of views({ busiest, second })) {
          const where = `${view.name}, ${size}, ${scheme}`;
          await page.goto(`${stage.url}${view.href}`);
          await page.getByText(view.shows).first().waitFor();
          found.push(...(await findSerious(page)).map((line) => `${where}: ${line}`));
          const overflow = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'));
          if (overflow > 0) found.push(`${where}: ${overflow} px too wide`);
          await page.screenshot({
            path: join(inject('pictures'), `${view.name}-${size}-${scheme}.png`),
            fullPage: true,
          });
        }
        found.push(...problems.map((problem) => `${size}, ${scheme}: ${problem}`));
      }
    }
    expect(found).toEqual([]);
  },
  manyViewsMs,
);

test('axe: finds what is planted, so that finding nothing says something', async () => {
  const { page } = await aPage();
  await page.setContent('<html lang="en"><title>t</title><main><h1>h</h1><button></button></main></html>');
  expect(await findSerious(page)).toEqual([expect.stringContaining('button-name')]);
});
