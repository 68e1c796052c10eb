import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const page = fileURLToPath(new URL('../../../console/page/', import.meta.url));

/** Ways to make markup or code of a text. */
const forbidden =
  /innerHTML|dangerouslySetInnerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|parseHTMLUnsafe|createContextualFragment|DOMParser|document\.write|\beval\(|new Function|setAttribute\(\s*['"](on|style)|javascript:/;

async function sources(ending: string): Promise<{ name: string; text: string }[]> {
  const names = await readdir(page, { recursive: true });
  const wanted = names.filter((name) => name.endsWith(ending));
  return Promise.all(wanted.map(async (name) => ({ name, text: await readFile(`${page}${name}`, 'utf8') })));
}

test('page: no script makes markup or code of a text', async () => {
  const scripts = await sources('.js');
  expect(scripts.length).toBeGreaterThan(30);
  expect(scripts.filter(({ text }) => forbidden.test(text)).map(({ name }) => name)).toEqual([]);
  expect(forbidden.test('element.innerHTML = text')).toBe(true);
});

test('page: nothing is inline, and nothing is loaded from elsewhere, the root of the server included', async () => {
  const files = [...(await sources('.html')), ...(await sources('.css')), ...(await sources('.js'))];
  const foreign = /(?:src|href)=["']?(?:https?:)?\/|url\(|@import|(?:from|href:|fetch\() ?['"`](?:https?:)?\//;
  expect(files.filter(({ text }) => foreign.test(text)).map(({ name }) => name)).toEqual([]);
  const [html] = await sources('index.html');
  expect(html?.text).toContain('<script type="module" src="assets/main.js"></script>');
  expect(html?.text.replaceAll(/<script type="module" src="[^"]+"><\/script>/g, '')).not.toMatch(
    /<script|<style|style=|\son\w+=/,
  );
});
