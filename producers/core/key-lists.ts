/** The first keys of an object, in order, and how many it has. */
export interface KeyList {
  keys: readonly string[];
  total: number;
}

/** An object with more keys is wide: V8 mostly stores it as a hash table, and copying it costs a microsecond for each key. */
export const wideKeys = 256;

/** No record has room for more. */
const maxKept = 50_000;

/** The lists of objects with more keys are cached. */
const rememberedFrom = 10_000;

/** Before a cached list is used again, one in so many of its keys is checked. */
const checkedEvery = 250;

const remembered = new WeakMap<object, KeyList>();

/**
 * Lists the keys of objects. This is the one step whose cost depends on what is given and not on what is kept: V8 cannot list
 * only some of the keys or count them, and takes 0.2 µs for each. Therefore a wide object is listed once for each record, and
 * a very wide one only once, as long as its first keys still exist.
 */
export function createKeyLists(): (object: object) => KeyList {
  // Created when it is needed, which is rare.
  let lists: Map<object, KeyList> | null = null;
  return (object) => {
    const known = lists?.get(object) ?? recall(object);
    const list = known ?? listKeys(object);
    if (list.total <= wideKeys) return list;
    lists ??= new Map();
    lists.set(object, list);
    return list;
  };
}

function listKeys(object: object): KeyList {
  const keys = Object.keys(object);
  const list = { keys: keys.length > maxKept ? keys.slice(0, maxKept) : keys, total: keys.length };
  if (list.total > rememberedFrom) remembered.set(object, list);
  return list;
}

/** Checks only some of the keys: one that no longer exists reads as undefined and is left out. */
function recall(object: object): KeyList | undefined {
  const list = remembered.get(object);
  if (list === undefined) return undefined;
  for (let at = 0; at < list.keys.length; at += checkedEvery)
    if (!Object.hasOwn(object, list.keys[at] ?? '')) return undefined;
  return list;
}
