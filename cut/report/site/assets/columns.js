// The columns of a data set's images: one group per method, with one column per seed and epoch.
"use strict";

const Columns = {
  /** Return the names of the groups that the page's filter shows, each once. */
  groups: (set) =>
    [...new Set(set.columns.filter(Filter.shows).map((column) => column.group))],

  /** Return the distinct values of a key (seed or epoch) of a set's columns. */
  values(set, key) {
    const found = set.columns.map((column) => column[key]).filter((value) => value !== null);
    return [...new Set(found)].map(String);
  },

  /** Return the index of a group's column with that seed and epoch; otherwise with an epoch of that
   * seed, else of another seed. */
  place(set, group, seed, epoch) {
    const fit = (column) => 2 * (String(column.seed) === seed) + (column.epoch === epoch);
    const mine = set.columns.filter((column) => column.group === group);
    const best = mine.reduce((a, b) => (fit(b) > fit(a) ? b : a));
    return set.columns.indexOf(best);
  },

  /** Return the index of the column of this set that corresponds to `column` of another, or -1. */
  same: (set, column) =>
    set.columns.findIndex((other) =>
      ["group", "seed", "epoch"].every((key) => other[key] === column[key])),
};
