import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { until } from '../support/fixtures.ts';
import { modelBodies } from '../support/model-bodies.ts';
import { untilAnswered } from './a-page.ts';
import { aStored, ofShape, openRequest } from './a-request.ts';
import { findSerious } from './axe.ts';
import { storeDemoRequests } from './demo-data.ts';
import { aStage } from './stage.ts';

/** Two bodies in two looks, with axe: on a machine that is busy otherwise it takes longer than other tests may. */
const manyLooksMs = 300_000;

const looks = [
  { name: 'wide-light', viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
  { name: 'narrow-dark', viewport: { width: 400, height: 800 }, colorScheme: 'dark' },
] as const;

test.each(Object.keys(modelBodies) as (keyof typeof modelBodies)[])(
  'a request: of the shape %s it is a conversation, in one piece and as a stream, at every size and in both schemes',
  async (shape) => {
    const stage = await aStage();
    const ids = { plain: await aStored(stage, ofShape(shape)), stream: await aStored(stage, ofShape(shape, true)) };
    const found: string[] = [];
    for (const { name, ...look } of looks) {
      const opened = await stage.openPage(look);
      for (const [kind, id] of Object.entries(ids)) {
        const dialog = await openRequest(opened, stage, id);
        await dialog.locator('.card .note').filter({ hasText: shape }).waitFor();
        found.push(...(await findSerious(opened.page)).map((line) => `${kind} ${name}: ${line}`));
        for (const place of ['document.documentElement', 'document.querySelector(".detail-body")']) {
          const overflow = Number(await opened.page.evaluate(`${place}.scrollWidth - ${place}.clientWidth`));
          if (overflow > 0) found.push(`${kind} ${name}: ${place} is ${overflow} px too wide`);
        }
        await opened.page.screenshot({ path: join(inject('pictures'), `request-${shape}-${kind}-${name}.png`) });
      }
      found.push(...opened.problems);
    }
    expect(found).toEqual([]);
  },
  manyLooksMs,
);

test('a request: calls have their results below them, reasoning is folded, images are placeholders, raw text is a click away', async () => {
  const stage = await aStage();
  const opened = await stage.openPage();
  const dialog = await openRequest(opened, stage, await aStored(stage, ofShape('anthropic-messages', true)));
  await dialog.locator('.part.call').filter({ hasText: 'Call of search' }).getByText('not found').waitFor();
  await dialog.getByText('image/png, 70 B').waitFor();
  expect(await dialog.getByText('Perhaps another title.').count()).toBe(0);
  await dialog.getByText('Reasoning').press('Enter');
  await dialog.getByText('Perhaps another title.').waitFor();
  expect(await dialog.getByText('content_block_delta').count()).toBe(0);
  await dialog.getByText('Raw text').last().click();
  await dialog.getByText('content_block_delta').first().waitFor();
  expect(opened.problems).toEqual([]);
});

test('a request: j and k go from turn to turn, but not in a field', async () => {
  const stage = await aStage();
  const opened = await stage.openPage();
  const dialog = await openRequest(opened, stage, await aStored(stage, ofShape('openai-chat')));
  const focused = () => opened.page.evaluate('document.activeElement.getAttribute("aria-label")');
  await opened.page.keyboard.press('j');
  expect(await focused()).toContain('Turn 1 of 4');
  await opened.page.keyboard.press('j');
  expect(await focused()).toContain('Turn 2 of 4');
  await opened.page.keyboard.press('k');
  expect(await focused()).toContain('Turn 1 of 4');
  const field = dialog.getByLabel('Compare with the request of the id');
  await field.press('j');
  expect(await field.inputValue()).toBe('j');
  expect(opened.problems).toEqual([]);
});

test('a request: it is copied as a command without a key', async () => {
  const stage = await aStage();
  const opened = await stage.openPage({ permissions: ['clipboard-read', 'clipboard-write'] });
  const dialog = await openRequest(opened, stage, await aStored(stage, ofShape('anthropic-messages')));
  await dialog.getByRole('button', { name: 'Copy as curl' }).click();
  await opened.page.getByText('Copied the command').waitFor();
  const command = String(await opened.page.evaluate('navigator.clipboard.readText()'));
  expect(command).toContain(`"$BASE_URL"'/v1/messages'`);
  expect(command).toContain('x-api-key: $API_KEY');
  expect(command).toContain('You are a librarian.');
});

test('a request: it is compared with another one, by its id and from the list, and the way back leads out of it', async () => {
  const stage = await aStage();
  const { request, ...rest } = modelBodies['openai-chat'];
  const other = { ...request, temperature: 0.9, messages: request['messages'] };
  const [a, b] = [
    await aStored(stage, ofShape('openai-chat')),
    await aStored(stage, {
      ...ofShape('openai-chat'),
      requestBody: JSON.stringify(other).replace('You are brief.', 'You are verbose.'),
      responseBody: JSON.stringify(rest.plain),
    }),
  ];
  const opened = await stage.openPage();
  const { page } = opened;
  await page.goto(`${stage.url}/?view=requests&window=all`);
  await page.locator('.card', { hasText: 'pick two' }).getByRole('checkbox').first().waitFor();
  for (const id of [a, b]) await page.getByLabel(`Pick request ${id} for a comparison`).check();
  await page.getByRole('link', { name: 'Compare the two' }).click();
  const dialog = page.getByRole('dialog', { name: 'Request' });
  await dialog.locator('del', { hasText: 'brief.' }).waitFor();
  await dialog.locator('ins', { hasText: 'verbose.' }).waitFor();
  await dialog.getByRole('cell', { name: '0.9' }).waitFor();
  expect(await findSerious(page)).toEqual([]);
  await page.screenshot({ path: join(inject('pictures'), 'request-difference-wide-light.png') });
  await dialog.getByRole('button', { name: 'End the comparison' }).click();
  await dialog.getByLabel('Compare with the request of the id').fill(b.toUpperCase());
  await page.keyboard.press('Enter');
  await dialog.locator('del').first().waitFor();
  await page.keyboard.press('Escape');
  await until(() => !page.url().includes('request='));
  expect(page.url()).not.toContain('with=');
  expect(opened.problems).toEqual([]);
});

test('requests: figures, charts, groups and list of a window, at every size and in both schemes', async () => {
  const stage = await aStage();
  await storeDemoRequests(stage.database, 300);
  const found: string[] = [];
  for (const { name, ...look } of looks) {
    const { page, problems } = await stage.openPage(look);
    for (const [view, href, shows] of [
      ['requests', '/?view=requests', 'Cost over time'],
      ['request-compare', '/?view=request-compare&a=gpt-5&b=claude-opus-4-5', 'Change from A to B'],
      ['request-compare-windows', '/?view=request-compare&window=1h', 'Change from A to B'],
    ]) {
      await page.goto(stage.url + href);
      await page.getByRole('heading', { name: shows ?? '' }).waitFor();
      found.push(...(await findSerious(page)).map((line) => `${view} ${name}: ${line}`));
      const overflow = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'));
      if (overflow > 0) found.push(`${view} ${name}: ${overflow} px too wide`);
      await page.screenshot({ path: join(inject('pictures'), `${view}-${name}.png`), fullPage: true });
    }
    found.push(...problems);
  }
  expect(found).toEqual([]);
});

test('requests: figures and list follow the filters, a group leads to its requests, and two models are compared', async () => {
  const stage = await aStage();
  await storeDemoRequests(stage.database, 200);
  const { page, problems } = await stage.openPage();
  await page.goto(`${stage.url}/?view=requests`);
  const figure = (name: string) => page.locator('.key-figures .figure', { hasText: name }).locator('.figure-value');
  const requests = figure('Requests');
  await until(async () => (await requests.textContent()) === '200');
  const { rows } = await stage.client.query(
    `select count(*)::int as requests, sum(input_tokens)::int as tokens from request where model = 'claude-opus-4-5'`,
  );
  await page.getByRole('link', { name: 'claude-opus-4-5' }).first().click();
  await until(async () => (await requests.textContent()) === String(rows[0].requests));
  expect(page.url()).toContain('model=claude-opus-4-5');
  const models = page.locator('.card', { hasText: 'pick two to compare' }).locator('td[data-column="Model"]');
  expect(new Set(await models.allTextContents())).toEqual(new Set(['claude-opus-4-5']));
  await page.getByRole('link', { name: 'Clear' }).click();
  await until(async () => (await requests.textContent()) === '200');
  await page.getByLabel('By', { exact: true }).selectOption('createdBy');
  await page.getByRole('heading', { name: 'By creator' }).waitFor();
  await page.getByLabel('By', { exact: true }).selectOption('model');
  await page.getByRole('heading', { name: 'By model' }).waitFor();
  for (const model of ['gpt-5', 'qwen-coder'])
    await page.getByLabel(`Pick ${model} for a comparison`, { exact: true }).check();
  await page.getByRole('link', { name: 'Compare the two' }).click();
  await page.getByRole('heading', { name: 'Change from A to B' }).waitFor();
  await page.getByRole('row', { name: /^Latency p95/ }).waitFor();
  expect(problems).toEqual([]);
});

test('requests: they are found by a text in their bodies, by id, by creator, and by what failed last', async () => {
  const stage = await aStage();
  await storeDemoRequests(stage.database, 60);
  const id = await aStored(stage, {
    createdBy: 'somebody',
    requestBody: '{"input":"where is the blue heron?"}',
    statusCode: 500,
  });
  const { page, problems } = await stage.openPage();
  await page.goto(`${stage.url}/?view=requests`);
  await page.locator('.card', { hasText: 'What failed last' }).locator(`a[href*="${id}"]`).waitFor();
  await page.getByLabel('Text in bodies').fill('blue heron');
  await page.keyboard.press('Enter');
  await page.getByText(/^looked through/).waitFor();
  await untilAnswered(page);
  expect(await page.locator('main tbody tr').count()).toBe(1);
  await page.getByRole('link', { name: 'Clear' }).click();
  await page.getByLabel('Creator').fill('somebody');
  await page.keyboard.press('Enter');
  await until(() => page.url().includes('creator=somebody'));
  await untilAnswered(page);
  await page.getByLabel('Open by id').fill(` ${id.toUpperCase()} `);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Request' }).getByText('where is the blue heron?').waitFor();
  expect(problems).toEqual([]);
});
