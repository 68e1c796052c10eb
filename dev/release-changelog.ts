/** A line of the changelog that begins the part of a version. */
const unreleased = /^## \[Unreleased\]$/m;

/**
 * The changelog with what was unreleased under the number and the date of its release.
 *
 * @param date such as 2026-11-27
 * @throws Error when nothing is unreleased, or the version is there already
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
