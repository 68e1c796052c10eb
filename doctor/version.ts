/** The numbers of a version such as `6.2.14` or `v24.1.0-rc.1`; a missing number counts as 0. */
export function versionNumbers(version: string): [major: number, minor: number, patch: number] {
  const [, major, minor, patch] = /(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(version) ?? [];
  return [Number(major ?? 0), Number(minor ?? 0), Number(patch ?? 0)];
}

/** Whether one version is older than another; only the first three numbers count. */
export function isBelow(version: string, minimum: string): boolean {
  const theirs = versionNumbers(version);
  const ours = versionNumbers(minimum);
  const at = theirs.findIndex((number, index) => number !== ours[index]);
  return at >= 0 && (theirs[at] ?? 0) < (ours[at] ?? 0);
}
