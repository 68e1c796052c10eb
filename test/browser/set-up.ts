import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { say, step } from '../../dev/steps.ts';
import { findOrInstall } from '../support/proxy-binaries.ts';
import { findChromium, installChromium } from './chromium-binary.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    chromiumBinary: string;
    /** below which nginx serves the console; '': there is no nginx */
    basePath: string;
    /** where pictures of the views go: kept, for a person to look at */
    pictures: string;
  }
}

/** Before all tests of the page: there is a Chromium, and an nginx. */
export default async function setUp(project: TestProject): Promise<void> {
  const binary =
    (await findChromium()) ??
    (await step(
      () => installChromium(process.env),
      (path) => `Chromium installed: ${path}`,
    ));
  await findOrInstall('nginx');
  const pictures = await mkdtemp(join(tmpdir(), 'sluice-pictures-'));
  project.provide('chromiumBinary', binary);
  project.provide('pictures', pictures);
  say(`pictures of the views: ${pictures}`);
}
