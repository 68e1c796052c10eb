/** The heading of a version in the changelog. */
const unreleased = /^## \[Unreleased\]$/m;

/**
 * The changelog with the unreleased changes under the number and date of their release.
 *
 * @param date such as 2026-11-27
 * @throws Error if nothing is unreleased, or the version already exists
 */
export function releaseChangelog(text: string, version: string, date: string): string {
  if (text.includes(`\n## [${version}]`)) throw new Error(`CHANGELOG.md already has a version ${version}`);
  const [before, after, ...rest] = text.split(unreleased);
  if (before === undefined || after === undefined || rest.length > 0)
    throw new Error('CHANGELOG.md needs one line "## [Unreleased]"');
  const [changes = ''] = after.split(/^## \[/m);
  if (!/^- /m.test(changes)) throw new Error('CHANGELOG.md lists no change under Unreleased');
  return `${before}## [Unreleased]\n\n## [${version}] - ${date}${after}`;
}
