import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import type { Completion } from '../support/requests.ts';
import { aPage } from './a-page.ts';
import { aStored, openRequest } from './a-request.ts';
import { findSerious } from './axe.ts';
import { aStage } from './stage.ts';

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
  const dialog = await openRequest(opened, stage, id);
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
  const dialog = await openRequest(opened, stage, await aStored(stage, make()));
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
  const dialog = await openRequest(opened, stage, await aStored(stage, { responseBody: long }));
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
