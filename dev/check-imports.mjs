/**
 * `npm run check:imports`: checks who imports whom against `.dependency-cruiser.mjs`.
 *
 * dependency-cruiser parses TypeScript with the compiler's own parser, which version 7 does not offer to other programs. So it
 * alone gets version 6, installed under another name.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const ours = /[\\/]dependency-cruiser[\\/]/;
registerHooks({
  resolve: (specifier, context, next) =>
    next(
      ours.test(context.parentURL ?? '') ? specifier.replace(/^typescript(?=\/|$)/, 'typescript-6') : specifier,
      context,
    ),
});

const { cruise, format } = await import('dependency-cruiser');
const { default: config } = await import('../.dependency-cruiser.mjs');
// Where TypeScript looks, so that no folder is forgotten.
const { include } = JSON.parse(readFileSync(new URL('../tsconfig.json', import.meta.url), 'utf8'));
const folders = include.filter((path) => !path.includes('*'));
const { output } = await cruise(folders, {
  ...config.options,
  ruleSet: { forbidden: config.forbidden },
  validate: true,
});
const { exitCode, output: report } = await format(output, { outputType: 'err' });
process.stdout.write(`${report.trim()}\n`);
process.exitCode = exitCode === 0 ? 0 : 1;
