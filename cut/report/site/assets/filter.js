// The choice of one data set and of one family of methods, for all parts of the page.
"use strict";

const Filter = {
  set: "", // "" shows all
  family: "",

  /** Return whether an element of a data set and a family is shown; without one, it always is. */
  shows: ({ set, family }) =>
    (!Filter.set || !set || set === Filter.set) &&
    (!Filter.family || !family || family === Filter.family),
};

(() => {
  const controls = document.getElementById("filters");
  if (!controls) return;

  function apply() {
    Filter.set = document.getElementById("filter-set").value;
    Filter.family = document.getElementById("filter-family").value;
    for (const element of document.querySelectorAll("[data-set], [data-family]")) {
      // Rows of the tables of scores have filters of their own, which ask this one.
      if (!element.matches("#scores tr")) element.hidden = !Filter.shows(element.dataset);
    }
    for (const table of document.querySelectorAll("[data-all-sets]")) table.hidden = !!Filter.set;
    document.dispatchEvent(new Event("filter"));
  }

  controls.addEventListener("change", apply);
  controls.hidden = false;
  apply(); // a browser may keep what was chosen when a page is loaded again
})();
