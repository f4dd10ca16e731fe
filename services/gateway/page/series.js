/** Functions of the rows of a series. */

/** The runs of consecutive rows that have a value, each row with its index: [[{row, index}, …], …]. */
export function runsOfValues(rows) {
  const runs = [[]];
  rows.forEach((row, index) => {
    if (row.value === null) runs.push([]);
    else runs.at(-1).push({ row, index });
  });
  return runs.filter((run) => run.length > 0);
}

/** The length of a whole bucket in milliseconds: the longest, since the first and the last may be partial. */
export const bucketLength = (rows) => Math.max(...rows.map((row) => Date.parse(row.to) - Date.parse(row.from)));

/** Whether any row of a series has a value. */
export const hasValues = (series) => Boolean(series?.rows.some((row) => row.value !== null));

/** Whether a row has a flag. */
export const hasFlag = (row, flag) => Boolean(row?.flags?.includes(flag));
