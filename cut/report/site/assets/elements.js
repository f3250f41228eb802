// Elements of the page: made, filled, and entered by the keyboard at one stop.
"use strict";

const Elements = {
  /** Make an element with properties and children. */
  make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  },

  /** Fill a select; it keeps its value where that is still there. */
  fill(select, values, otherwise) {
    const before = select.value;
    select.replaceChildren(...values.map((value) => new Option(value)));
    select.value = before;
    if (select.selectedIndex < 0) select.value = otherwise;
  },

  /** Let Tab reach one button of a toolbar, which stands for all of them. */
  reach(toolbar, button) {
    for (const other of toolbar.children) other.tabIndex = other === button ? 0 : -1;
  },

  /** Let arrows, Home and End walk over a toolbar's buttons. */
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
