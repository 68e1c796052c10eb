import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, inject, test } from 'vitest';
import { storeRequests } from '../../workers/completed-requests/store.ts';
import { until } from '../support/fixtures.ts';
import { modelBodies } from '../support/model-bodies.ts';
import { aCompletion, type Completion } from '../support/requests.ts';
import { aPage, type TestPage, untilAnswered } from './a-page.ts';
import { findSerious } from './axe.ts';
import { storeDemoRequests } from './demo-data.ts';
import { aStage, type Stage } from './stage.ts';

/** Stores a request with these bodies, now. @returns its id */
async function aStored(stage: Stage, changes: Partial<Completion> = {}): Promise<string> {
  const startedAt = new Date(Date.now() - 60_000);
  const request = aCompletion({
    requestId: randomUUID(),
    startedAt: startedAt.toISOString(),
    completedAt: new Date(startedAt.getTime() + 1_400).toISOString(),
    ...changes,
  });
  await storeRequests(stage.database, JSON.stringify([request]));
  return request.requestId;
}

const ofShape = (shape: keyof typeof modelBodies, isStream = false): Partial<Completion> => {
  const { path, request, plain, stream } = modelBodies[shape];
  const responseBody = isStream ? stream : JSON.stringify(plain);
  return {
    endpoint: path,
    model: String(request['model'] ?? 'gemini-2.5-flash'),
    requestBody: JSON.stringify(request),
    responseBody,
    isStream,
  };
};

async function open({ page }: TestPage, stage: Stage, id: string, more = ''): Promise<ReturnType<Page['locator']>> {
  await page.goto(`${stage.url}/?view=requests&request=${id}${more}`);
  const dialog = page.getByRole('dialog', { name: 'Request' });
  await dialog.getByRole('heading', { name: more === '' ? 'Conversation' : 'Difference' }).waitFor();
  return dialog;
}

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
        const dialog = await open(opened, stage, id);
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
);

test('a request: calls have their results below them, reasoning is folded, images are placeholders, raw text is a click away', async () => {
  const stage = await aStage();
  const opened = await stage.openPage();
  const dialog = await open(opened, stage, await aStored(stage, ofShape('anthropic-messages', true)));
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
  const dialog = await open(opened, stage, await aStored(stage, ofShape('openai-chat')));
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
  const dialog = await open(opened, stage, await aStored(stage, ofShape('anthropic-messages')));
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

/** Markup, script addresses, and characters that turn text around or hide it. */
const attack = `<script>window.attacked=1</script><img src=x onerror="window.attacked=1">[click](javascript:window.attacked=1)\u202Egnp.exe\u200B${'\u{E0041}'.repeat(20)}`;

test('hostile bodies: what they say is text, what cannot be seen is named, and nothing of it runs or is loaded', async () => {
  const stage = await aStage();
  const opened = await stage.openPage({ viewport: { width: 400, height: 800 }, colorScheme: 'dark' });
  const url = 'javascript:window.attacked=1';
  const messages = [
    {
      role: attack,
      content: [
        { type: 'text', text: attack },
        { type: 'image_url', image_url: { url } },
        { type: attack, text: attack },
      ],
    },
    {
      role: 'assistant',
      tool_calls: [{ id: attack, function: { name: attack, arguments: JSON.stringify({ [attack]: attack }) } }],
    },
    { role: 'tool', tool_call_id: attack, content: attack, [attack]: attack },
  ];
  const id = await aStored(stage, {
    model: attack,
    endpoint: `/v1/chat/completions?${attack}`,
    requestBody: JSON.stringify({ model: attack, messages, [attack]: attack }),
    responseBody: JSON.stringify({ error: { message: attack, type: attack } }),
    statusCode: 500,
  });
  const dialog = await open(opened, stage, id);
  for (const summary of await dialog.locator('summary').all()) await summary.click();
  await dialog.locator('.unseen', { hasText: 'U+202E' }).first().waitFor();
  await dialog.locator('.unseen', { hasText: 'U+E0041 and 19 more' }).first().waitFor();
  expect(await opened.page.evaluate('window.attacked')).toBeUndefined();
  expect(await dialog.locator('img, script, svg, a[href^="javascript"]').count()).toBe(0);
  const text = String(await opened.page.evaluate('document.querySelector(".turns").textContent'));
  expect(text).not.toMatch(/[\u202A-\u202E\u2066-\u2069\u200B]/);
  expect(await findSerious(opened.page)).toEqual([]);
  await opened.page.screenshot({ path: join(inject('pictures'), 'request-hostile-narrow-dark.png'), fullPage: true });
  expect(opened.problems).toEqual([]);
});

const mib = 1_048_576;

/** Bodies of ten megabytes, each of a kind that would hang a page that lays out all of it. */
const huge: Record<string, () => Partial<Completion>> = {
  'one line without a space': () => ({
    requestBody: JSON.stringify({ messages: [{ role: 'user', content: 'x'.repeat(10 * mib) }] }),
  }),
  'a hundred thousand turns': () => ({
    requestBody: JSON.stringify({
      messages: Array.from({ length: 100_000 }, (_, n) => ({ role: 'user', content: `turn ${n} ${'y'.repeat(60)}` })),
    }),
  }),
  'one turn of a hundred thousand parts': () => ({
    requestBody: JSON.stringify({
      messages: [
        {
          role: 'user',
          content: Array.from({ length: 100_000 }, (_, n) => ({ type: 'text', text: `part ${n} ${'y'.repeat(50)}` })),
        },
      ],
    }),
  }),
  'images of megabytes': () => ({
    requestBody: JSON.stringify({
      messages: [
        {
          role: 'user',
          content: Array.from({ length: 4 }, () => ({
            type: 'image_url',
            image_url: { url: `data:image/png;base64,${'iVBO'.repeat(0.6 * mib)}` },
          })),
        },
      ],
    }),
  }),
  'deep JSON': () => ({
    requestBody: `{"messages":[{"role":"user","content":${'['.repeat(2 * mib)}${']'.repeat(2 * mib)}}]}`,
  }),
  'a stream of very many events': () => ({
    isStream: true,
    responseBody:
      'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'.repeat(
        110_000,
      ),
  }),
  'no form that is known': () => ({ responseBody: `<html>${'<b>'.repeat(3 * mib)}` }),
  'characters that cannot be seen': () => ({ responseBody: 'a\u202E'.repeat(2 * mib) }),
};

test.each(Object.entries(huge))('hostile bodies: ten megabytes do not hang the page: %s', async (_, make) => {
  const stage = await aStage();
  const opened = await stage.openPage();
  const dialog = await open(opened, stage, await aStored(stage, make()));
  // The page answers: what is laid out is a small part of it.
  const elements = Number(await opened.page.evaluate('document.querySelectorAll("*").length'));
  const shown = Number(await opened.page.evaluate('document.body.textContent.length'));
  expect(elements).toBeLessThan(6_000);
  expect(shown).toBeLessThan(400_000);
  for (const summary of await dialog.locator('.card > .folded > summary').all()) await summary.click();
  const more = dialog.getByRole('button', { name: /^Show/ });
  if ((await more.count()) > 0) await more.first().click();
  await opened.page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  expect(opened.problems).toEqual([]);
});

test('a body that is longer than the page shows says so, and can be saved whole', async () => {
  const stage = await aStage();
  const opened = await aPage();
  const long = 'z'.repeat(17 * mib);
  const dialog = await open(opened, stage, await aStored(stage, { responseBody: long }));
  await dialog.getByText('1,048,576 characters are not shown here').waitFor();
  const [download] = await Promise.all([
    opened.page.waitForEvent('download'),
    dialog.getByRole('link', { name: 'Save as a file' }).last().click(),
  ]);
  const stream = await download.createReadStream();
  let size = 0;
  for await (const chunk of stream) size += (chunk as Buffer).length;
  expect(size).toBe(long.length);
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
