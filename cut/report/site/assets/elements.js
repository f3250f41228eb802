// Helpers for elements of the page: making, filling, and toolbars with one tab stop.
"use strict";

const Elements = {
  /** Make an element with properties and children. */
  make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  },

  /** Fill a select; it keeps its value if that is among the new ones. */
  fill(select, values, otherwise) {
    const before = select.value;
    select.replaceChildren(...values.map((value) => new Option(value)));
    select.value = before;
    if (select.selectedIndex < 0) select.value = otherwise;
  },

  /** Make one button of a toolbar its only tab stop. */
  reach(toolbar, button) {
    for (const other of toolbar.children) other.tabIndex = other === button ? 0 : -1;
  },

  /** Let arrow keys, Home and End move between a toolbar's buttons. */
  walk(toolbar) {
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    toolbar.addEventListener("keydown", (event) => {
      const seen = [...toolbar.children].filter((button) => !button.hidden);
      const ends = { Home: 0, End: seen.length - 1 };
      const to = seen[ends[event.key] ?? seen.indexOf(document.activeElement) + steps[event.key]];
      if (!to) return;
      event.preventDefault();
      Elements.reach(toolbar, to);
      to.focus();
    });
  },
};
