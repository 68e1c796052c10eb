/** The first keys of an object, in their order, and how many it has. */
export interface KeyList {
  keys: readonly string[];
  total: number;
}

/** An object with more keys is wide: V8 mostly keeps it as a hash table, and copying it costs a microsecond for each key. */
export const wideKeys = 256;

/** No record has room for more. */
const maxKept = 50_000;

/** The lists of objects with more keys are remembered. */
const rememberedFrom = 10_000;

/** Of the keys that are remembered, every so many are looked for when they are used again. */
const checkedEvery = 250;

const remembered = new WeakMap<object, KeyList>();

/**
 * Lists the keys of objects. This is the one thing that costs by what is given and not by what is kept: V8 has no way to ask for
 * some of the keys, or how many there are, and takes 0.2 µs for each. So a wide object is listed once for a record, and a very
 * wide one once in its life, as long as its first keys are still there.
 */
export function createKeyLists(): (object: object) => KeyList {
  // Made when it is needed, which is hardly ever.
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

/** Not all of them are looked for: one that has gone since reads as undefined, and is left out. */
function recall(object: object): KeyList | undefined {
  const list = remembered.get(object);
  if (list === undefined) return undefined;
  for (let at = 0; at < list.keys.length; at += checkedEvery)
    if (!Object.hasOwn(object, list.keys[at] ?? '')) return undefined;
  return list;
}
