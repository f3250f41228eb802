// The columns of a data set's images: a group a method, with a column a seed and epoch in it.
"use strict";

const Columns = {
  /** Return the names of the groups, each once. */
  groups: (set) => [...new Set(set.columns.map((column) => column.group))],

  /** Return the seeds, or the epochs, that columns of a set have. */
  values(set, key) {
    const found = set.columns.map((column) => column[key]).filter((value) => value !== null);
    return [...new Set(found)].map(String);
  },

  /** Return the place of a group's column of that seed and epoch; else of the epoch it has of that
   * seed, else of another seed. */
  place(set, group, seed, epoch) {
    const fit = (column) => 2 * (String(column.seed) === seed) + (column.epoch === epoch);
    const mine = set.columns.filter((column) => column.group === group);
    const best = mine.reduce((a, b) => (fit(b) > fit(a) ? b : a));
    return set.columns.indexOf(best);
  },

  /** Return the place of the column that is in this set what `column` is in another, or -1. */
  same: (set, column) =>
    set.columns.findIndex((other) =>
      ["group", "seed", "epoch"].every((key) => other[key] === column[key])),
};
