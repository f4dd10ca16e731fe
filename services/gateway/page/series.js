/** The rows of a series: where it has gaps, and how long its buckets are. */

/** Runs of neighbouring rows that have a value, each row with its place: [[{row, index}, …], …]. */
export function stretches(rows) {
  const runs = [[]];
  rows.forEach((row, index) => {
    if (row.value === null) runs.push([]);
    else runs.at(-1).push({ row, index });
  });
  return runs.filter((run) => run.length > 0);
}

/** The usual length of a bucket in milliseconds: the longest, since those at the edges may be cut off. */
export const bucketLength = (rows) => Math.max(...rows.map((row) => Date.parse(row.to) - Date.parse(row.from)));

/** Whether any row of a series has a value. */
export const known = (series) => Boolean(series?.rows.some((row) => row.value !== null));

/** Whether a row carries a flag. */
export const has = (row, flag) => Boolean(row?.flags?.includes(flag));
