/** Views that the reader has named, kept in this browser. */

/** @typedef {{ name: string, search: string }} SavedView search: of the address, such as `?view=fleet` */

const most = 50;
export const longestName = 80;
const longestSearch = 4_000;

/**
 * Where they are kept. Another console on the same host, at another path, has views of its own.
 *
 * @param {Pick<Location, 'pathname'>} location
 * @param {() => Pick<Storage, 'getItem' | 'setItem'>} openStorage throws where the browser keeps nothing for the page
 */
export function createSavedViews({ pathname }, openStorage) {
  const key = `sluice views ${pathname}`;

  /** What is there and valid: other versions of the page, and people, may have written anything. @returns {SavedView[]} */
  function list() {
    let stored;
    try {
      stored = JSON.parse(openStorage().getItem(key) ?? '[]');
    } catch {
      return [];
    }
    if (!Array.isArray(stored)) return [];
    return stored
      .filter(isView)
      .map(({ name, search }) => ({ name, search }))
      .slice(0, most);
  }

  /** @param {SavedView[]} views @returns {string | null} why they were not kept */
  function keep(views) {
    try {
      openStorage().setItem(key, JSON.stringify(views));
      return null;
    } catch {
      return 'This browser does not keep anything for this page, or has no room left. Copy the link instead.';
    }
  }

  return {
    list,
    /** Keeps a view; one of the same name is replaced. @param {SavedView} view @returns {string | null} why it was not kept */
    save(view) {
      if (!isView(view)) return `A name has 1 to ${longestName} characters, and an address ${longestSearch} at most.`;
      const others = list().filter(({ name }) => name !== view.name);
      if (others.length >= most) return `There are ${most} saved views already: remove one of them.`;
      return keep([...others, view].toSorted((a, b) => a.name.localeCompare(b.name)));
    },
    /** @param {string} name @returns {string | null} why it is still kept */
    remove(name) {
      return keep(list().filter((view) => view.name !== name));
    },
  };
}

/** @param {any} view @returns {view is SavedView} */
function isView(view) {
  return (
    typeof view?.name === 'string' &&
    view.name.trim() !== '' &&
    view.name.length <= longestName &&
    typeof view.search === 'string' &&
    view.search.length <= longestSearch &&
    (view.search === '' || view.search.startsWith('?'))
  );
}
