import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { acmeToken, allTokens, operatorToken, readToken } from '../support/a-console.ts';
import { until } from '../support/fixtures.ts';
import { insertDeadLetter, insertRun } from '../support/seed-console.ts';
import { aPage, untilAnswered } from './a-page.ts';
import { findSerious } from './axe.ts';
import { aStage } from './stage.ts';

const day = 86_400_000;

test('empty: each view says that there is nothing, and what that means', async () => {
  const stage = await aStage();
  const { page, problems } = await aPage();
  const views = [
    ['/', 'Nothing ran in this window'],
    ['/?view=strategy&id=unknown', 'Nothing ran in this window'],
    ['/?view=compare', 'Name two strategies'],
    ['/?view=compare&a=x&b=x', 'The same strategy twice'],
    ['/?view=fleet', 'There are no open dead letters.'],
    ['/?view=dead-letters', 'No dead letters'],
    ['/?view=health', 'No games'],
    ['/?view=requests', 'No requests'],
  ];
  for (const [href, text = ''] of views) {
    await page.goto(`${stage.url}${href}`);
    await page.getByText(text, { exact: true }).waitFor();
    expect([href, await findSerious(page)]).toEqual([href, []]);
  }
  await page.screenshot({ path: join(inject('pictures'), 'empty.png') });
  // A run of unknown duration is a run all the same.
  await insertRun(stage.client, { strategy_id: 'untimed', duration_ms: 'NaN' });
  await page.goto(`${stage.url}/?view=strategy&id=untimed`);
  await page.getByText('No latency', { exact: true }).waitFor();
  await page.getByText('1 row without a usable duration').waitFor();
  expect(problems).toEqual([]);
});

test('loading and error: are said, and the next try shows what there is', async () => {
  const stage = await aStage();
  await insertRun(stage.client);
  const { page } = await aPage();
  const held = Promise.withResolvers<void>();
  let asked = 0;
  await page.route('**/api/v1/strategies?*', async (route) => {
    asked += 1;
    if (asked > 2) return route.continue();
    // Not what the API answers: it cannot be drawn.
    if (asked === 2) return route.fulfill({ json: { strategies: null } });
    await held.promise;
    return route.fulfill({
      status: 503,
      contentType: 'application/problem+json',
      body: '{"status":503,"detail":"PostgreSQL did not answer"}',
    });
  });
  await page.goto(stage.url);
  await page.getByText('Loading…').waitFor();
  held.resolve();
  await page.getByRole('alert').getByText('PostgreSQL did not answer').waitFor();
  expect(await findSerious(page)).toEqual([]);
  await page.screenshot({ path: join(inject('pictures'), 'error.png') });
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('alert').getByText('Error in the page').waitFor();
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('link', { name: 'bonus' }).waitFor();
});

test('an unknown view and an execution that is not there: are said to be not found', async () => {
  const stage = await aStage();
  const { page } = await aPage();
  await page.goto(`${stage.url}/?view=nothing`);
  await page.getByText('Not found').waitFor();
  await page.goto(`${stage.url}/?view=strategy&id=x&execution=5a2f1f10-0000-4000-8000-000000000000`);
  await page.getByRole('dialog').getByText('There is no execution with this id').waitFor();
});

test('live: an older answer that comes late is not shown over a newer one', async () => {
  const stage = await aStage();
  await insertRun(stage.client, { strategy_id: 'of-now' });
  const { page } = await aPage();
  const held = Promise.withResolvers<void>();
  const old = { window: { since: new Date(0), until: new Date() }, strategies: [] };
  await page.route('**/api/v1/strategies?*', async (route) => {
    if (!route.request().url().includes('window=24h')) return route.continue();
    await held.promise;
    // The browser may have given the question up.
    return route.fulfill({ json: old }).catch(() => undefined);
  });
  await page.goto(stage.url);
  await page.getByText('Loading…').waitFor();
  await page.getByRole('link', { name: '1 h', exact: true }).click();
  await page.getByRole('link', { name: 'of-now' }).waitFor();
  held.resolve();
  await page.getByRole('button', { name: 'Refresh' }).click();
  await until(async () => (await page.locator('main').getAttribute('aria-busy')) === 'false');
  expect(await page.getByRole('link', { name: 'of-now' }).count()).toBe(1);
  expect(page.url()).toContain('window=1h');
});

test('live: what is new comes by itself, and who is reading keeps the focus and what was opened', async () => {
  const stage = await aStage();
  const failure = { strategy_id: 's', status: 'error', error_code: 'E', sampled: false, sample_rate: 1 };
  const first = await insertRun(stage.client, failure);
  const { page, problems } = await aPage();
  await page.clock.install();
  await page.goto(`${stage.url}/?view=strategy&id=s`);
  const link = page.locator(`a[href*="execution=${first}"]`);
  await link.focus();
  const values = page.locator('details.values').first();
  await values.locator('summary').click();
  await link.focus();
  const newer = await insertRun(stage.client, { ...failure, recorded_at: new Date() });
  await page.clock.runFor(11_000);
  await page.locator(`a[href*="execution=${newer}"]`).waitFor();
  expect(await page.evaluate('document.activeElement.href')).toContain(first);
  expect(await values.getAttribute('open')).toBe('');
  await page.getByText('From … to').click();
  const half = page.getByLabel('From', { exact: true });
  await half.fill('2026-01-02T03:04');
  await page.getByRole('button', { name: 'Show' }).focus();
  const newest = await insertRun(stage.client, { ...failure, recorded_at: new Date() });
  await page.clock.runFor(11_000);
  await page.locator(`a[href*="execution=${newest}"]`).waitFor();
  expect([await half.inputValue(), await page.evaluate('document.activeElement.textContent')]).toEqual([
    '2026-01-02T03:04',
    'Show',
  ]);
  await page.keyboard.press('Escape');
  await half.waitFor({ state: 'hidden' });
  await values.locator('summary').focus();
  const last = await insertRun(stage.client, { ...failure, recorded_at: new Date() });
  await page.clock.runFor(11_000);
  await page.locator(`a[href*="execution=${last}"]`).waitFor();
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Values');
  expect(problems).toEqual([]);
});

test('live: half a word, what is chosen and where was scrolled to stay as they are', async () => {
  const stage = await aStage();
  const failure = { strategy_id: 's', status: 'error', error_code: 'E', sampled: false, sample_rate: 1 };
  await insertRun(stage.client, failure);
  const { page, problems } = await aPage({ viewport: { width: 1280, height: 500 } });
  await page.clock.install();
  await page.goto(`${stage.url}/?view=strategy&id=s`);
  await page.getByLabel('Status', { exact: true }).selectOption('error');
  await until(() => page.url().includes('status=error'));
  await untilAnswered(page);
  await page.getByLabel('Error code', { exact: true }).pressSequentially('of a ');
  const left = `({
    scroll: scrollY,
    focus: document.activeElement.id,
    typed: document.activeElement.value,
    caret: document.activeElement.selectionStart,
    chosen: document.getElementById('filter-status').value,
  })`;
  const before = await page.evaluate(left);
  expect(before).toMatchObject({ focus: 'filter-code', typed: 'of a ', caret: 5, chosen: 'error' });
  const newer = await insertRun(stage.client, { ...failure, recorded_at: new Date() });
  await page.clock.runFor(11_000);
  await page.locator(`a[href*="execution=${newer}"]`).waitFor();
  expect(await page.evaluate(left)).toEqual(before);
  expect(Number(await page.evaluate('scrollY'))).toBeGreaterThan(0);
  expect(problems).toEqual([]);
});

test('live: turned off, nothing is asked any more; the address says so', async () => {
  const stage = await aStage();
  await insertRun(stage.client);
  const { page } = await aPage();
  await page.clock.install();
  await page.goto(stage.url);
  await page.getByRole('link', { name: 'bonus' }).waitFor();
  let asked = 0;
  page.on('request', (request) => {
    if (request.url().includes('/api/')) asked += 1;
  });
  await page.clock.runFor(11_000);
  await until(() => asked > 0);
  await page.getByRole('link', { name: /^Live: on/ }).click();
  await page.getByRole('link', { name: /^Live: off/ }).waitFor();
  await until(async () => (await page.locator('main').getAttribute('aria-busy')) === 'false');
  const before = asked;
  await page.clock.runFor(60_000);
  expect([asked, new URL(page.url()).search]).toEqual([before, '?live=off']);
});

test('live: when the console is gone, what is shown stays, and says how old it is', async () => {
  const stage = await aStage();
  await insertRun(stage.client);
  const { page } = await aPage();
  await page.goto(stage.url);
  await page.getByRole('link', { name: 'bonus' }).waitFor();
  await page.route('**/api/v1/**', (route) => route.abort());
  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.getByRole('alert').getByText('Not refreshed since').waitFor();
  expect(await page.getByRole('link', { name: 'bonus' }).count()).toBe(1);
  expect(await findSerious(page)).toEqual([]);
});

test('log in: a wrong token is refused, a reader sees and changes nothing, an operator may, and all can log out', async () => {
  const stage = await aStage(allTokens);
  await insertDeadLetter(stage.client);
  const { page } = await aPage();
  await page.goto(`${stage.url}/?view=dead-letters`);
  await page.getByLabel('Token').fill('a-token-of-nobody-here');
  expect(await findSerious(page)).toEqual([]);
  await page.screenshot({ path: join(inject('pictures'), 'login.png') });
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('This token is not known').waitFor();
  await page.getByLabel('Token').fill(readToken);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('read only').waitFor();
  await page.locator('td[data-column="Dead letters"]').waitFor();
  expect(await page.getByRole('button', { name: /Replay|Discard/ }).count()).toBe(0);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Token').fill(operatorToken);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('button', { name: /^Replay dead letter/ }).waitFor();
  // The session ends: what only its bearer may read is gone, and the way in is there.
  await page.context().clearCookies();
  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.getByLabel('Token').fill(readToken);
  expect(await page.locator('main table').count()).toBe(0);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.locator('td[data-column="Dead letters"]').waitFor();
});

test('log in: two consoles of one host, at other ports, leave each other’s sessions alone', async () => {
  const [one, two] = [await aStage(allTokens), await aStage(allTokens)];
  const { page } = await aPage();
  const isLoggedIn = () => page.getByText('read only').waitFor();
  for (const { url } of [one, two]) {
    await page.goto(url);
    await page.getByLabel('Token').fill(readToken);
    await page.getByRole('button', { name: 'Log in' }).click();
    await isLoggedIn();
  }
  await page.goto(one.url);
  await isLoggedIn();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Token').waitFor();
  await page.goto(two.url);
  await isLoggedIn();
});

test('a window of one’s own: from a time to a time, by the reader’s clock', async () => {
  const stage = await aStage();
  await insertRun(stage.client);
  const { page, problems } = await aPage({ timezoneId: 'Asia/Tokyo' });
  await page.goto(stage.url);
  await page.getByText('From … to').click();
  await page.getByLabel('From', { exact: true }).fill(new Date(Date.now() - 2 * day).toISOString().slice(0, 16));
  await page.getByRole('button', { name: 'Show' }).click();
  await until(() => page.url().includes('since='));
  const since = new URL(page.url()).searchParams.get('since') ?? '';
  expect(Math.round((Date.now() - 2 * day - Date.parse(since)) / 3_600_000)).toBe(9);
  await page.getByRole('link', { name: 'bonus' }).waitFor();
  expect(problems).toEqual([]);
});

test('a realm’s token: shows the strategies and executions of its realm', async () => {
  const stage = await aStage(allTokens);
  await insertRun(stage.client, { external_user_id: 'one-of-acme' });
  await insertRun(stage.client, { external_user_id: 'one-of-another', realm_id: 'other' });
  await insertRun(stage.client, { strategy_id: 'theirs', realm_id: 'other' });
  const { page } = await aPage();
  await page.goto(stage.url);
  await page.getByLabel('Token').fill(acmeToken);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('realm acme').waitFor();
  await page.getByRole('link', { name: 'bonus' }).click();
  await page.getByLabel('Status', { exact: true }).selectOption('all');
  await page.getByText('one-of-acme').waitFor();
  expect(await page.getByText('one-of-another').count()).toBe(0);
  await page.getByRole('link', { name: 'Fleet' }).click();
  await page.getByText('Not allowed with this token').waitFor();
  expect(await findSerious(page)).toEqual([]);
});
