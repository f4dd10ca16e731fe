/** The names of teams and agents, for display in place of their ids. */

const nameByKey = new Map(); // dimension and id → name

const key = (dimension, value) => JSON.stringify([dimension, value]);

/** Add the directory of the tenant, as `GET /v1/names` returns it. */
export function addDirectory(directory) {
  for (const [dimension, names] of Object.entries(directory)) for (const [value, name] of Object.entries(names)) nameByKey.set(key(dimension, value), name);
}

/** Add the names that rows or records carry. */
export function addNames(items) {
  for (const { dims, names } of items ?? []) for (const [dimension, name] of Object.entries(names ?? {})) nameByKey.set(key(dimension, dims[dimension]), name);
}

/** The name of a value of a dimension, or the value itself. */
export const nameOf = (dimension, value) => nameByKey.get(key(dimension, value)) ?? value;
