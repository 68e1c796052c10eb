import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, inject, onTestFinished } from 'vitest';

let browser: Promise<Browser> | null = null;

/** One browser for all tests of a file. */
function theBrowser(): Promise<Browser> {
  browser ??= chromium.launch({
    executablePath: inject('chromiumBinary'),
    // Chromium has no sandbox under root, and containers often have no shared memory to speak of.
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--disable-dev-shm-usage'],
  });
  return browser;
}

afterAll(async () => {
  await (await browser)?.close();
  browser = null;
});

/** A page, and what went wrong in it: errors, refusals of the content security policy, answers of the server with 500. */
export interface TestPage {
  page: Page;
  problems: string[];
}

/** Opens a page that is closed when its test has finished. */
export async function aPage(options: BrowserContextOptions = {}): Promise<TestPage> {
  const context = await (await theBrowser()).newContext({
    viewport: { width: 1280, height: 900 },
    colorScheme: 'light',
    reducedMotion: 'reduce',
    ...options,
  });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const problems: string[] = [];
  const ownAddress = new RegExp(`^http://127\\.0\\.0\\.1:\\d+${inject('basePath')}(/|$)`);
  page.on('pageerror', (error) => problems.push(`page error: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (!ownAddress.test(request.url())) problems.push(`asked elsewhere: ${request.url()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 500) problems.push(`${response.status()} from ${response.url()}`);
  });
  return { page, problems };
}

/**
 * Waits until the view shows the answer to what the address asks. Until that comes, what was shown before stays, below
 * controls that are those of the new address already.
 */
export async function untilAnswered(page: Page): Promise<void> {
  await page.locator('main[aria-busy="false"]:not(.outdated)').waitFor();
}
