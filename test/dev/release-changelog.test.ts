import { expect, test } from 'vitest';
import { releaseChangelog } from '../../dev/release-changelog.ts';

const changelog = `# Changelog

## [Unreleased]

### Added

- A thing.

## [0.1.0] - 2026-11-01

- The first things.
`;

test('release: what was unreleased gets its number and date, and an empty part for the next one stands above it', () => {
  expect(releaseChangelog(changelog, '0.2.0', '2026-11-27')).toBe(
    changelog.replace('## [Unreleased]\n', '## [Unreleased]\n\n## [0.2.0] - 2026-11-27\n'),
  );
});

test('release: nothing new, a version that is there, or a changelog without its heading are errors', () => {
  const released = releaseChangelog(changelog, '0.2.0', '2026-11-27');
  expect(() => releaseChangelog(released, '0.3.0', '2026-11-28')).toThrow('lists no change');
  expect(() => releaseChangelog(changelog, '0.1.0', '2026-11-28')).toThrow('already has a version 0.1.0');
  expect(() => releaseChangelog('# Changelog\n', '0.1.0', '2026-11-28')).toThrow('needs one line');
});
