/** A module of the page, which is JavaScript that `console/page/tsconfig.json` checks. The caller says what it takes from it. */
export async function pageModule<T>(path: string): Promise<T> {
  return (await import(new URL(`../../console/page/${path}`, import.meta.url).href)) as T;
}
