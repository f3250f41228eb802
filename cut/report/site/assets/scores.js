// The tables of scores: sorting (by tablesort), filtering, and notes shown at the pointer or focus.
"use strict";

(() => {
  Tablesort.extend("value", () => false, (a, b) => Number(b) - Number(a));

  /** Return a column's name, with the header above it if there is one. */
  function nameOf(header) {
    let left = header.cellIndex;
    const above = [...(header.closest("thead").querySelector(".groups")?.cells ?? [])];
    const group = above.find((cell) => (left -= cell.colSpan) < 0);
    return [group?.textContent.trim(), header.querySelector("button").textContent]
      .filter(Boolean).join(" ");
  }

  /** Make one table sortable; cells without a value come last in both directions. */
  function sortable(table) {
    new Tablesort(table);
    const status = document.getElementById(`${table.id}-status`);
    // The button in each header takes the focus, not the header itself.
    for (const header of table.querySelectorAll("thead th")) header.removeAttribute("tabindex");
    table.addEventListener("afterSort", () => {
      const header = table.querySelector("th[aria-sort]");
      const body = table.tBodies[0];
      for (const row of [...body.rows]) {
        if (row.cells[header.cellIndex].dataset.sort === "") body.append(row);
      }
      status.textContent = `Sorted by ${nameOf(header)}, ${header.getAttribute("aria-sort")}.`;
    });
  }

  /** Show the rows that contain every word typed; hide controls if they are unticked. */
  function filterable(table) {
    const words = document.querySelector(`[data-filter="${table.id}"]`);
    const controls = document.querySelector(`[data-controls="${table.id}"]`);
    const status = document.getElementById(`${table.id}-status`);
    const apply = () => {
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of table.tBodies[0].rows) {
        const left = controls && !controls.checked && row.classList.contains("control");
        row.hidden = left || !Filter.shows(row.dataset) ||
          !wanted.every((word) => row.dataset.words.includes(word));
        shown += row.hidden ? 0 : 1;
      }
      status.textContent = `${shown} of ${table.tBodies[0].rows.length} rows shown.`;
    };
    words.addEventListener("input", apply);
    if (controls) controls.addEventListener("change", apply);
    document.addEventListener("filter", apply);
  }

  /** Show a note's text beside its letter while the pointer or the focus is on it. */
  function tooltips() {
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;
    tip.setAttribute("aria-hidden", "true"); // the link's description already says it
    document.body.append(tip);
    let owner = null;
    const hide = () => {
      tip.hidden = true;
      owner = null;
    };
    const show = (event) => {
      const link = event.target.closest?.("a.note");
      if (!link) {
        if (event.target !== tip && event.type === "pointerover") hide();
        return;
      }
      owner = link;
      tip.textContent = document.getElementById(link.hash.slice(1)).textContent;
      tip.hidden = false;
      place();
    };
    // The focus may scroll its note into view; the text follows it.
    const place = () => {
      if (!owner) return;
      const box = owner.getBoundingClientRect();
      const right = document.documentElement.clientWidth - tip.offsetWidth - 8;
      const below = box.bottom + 2;
      const fits = below + tip.offsetHeight < window.innerHeight;
      tip.style.left = `${Math.max(8, Math.min(box.left - 8, right))}px`;
      tip.style.top = `${fits ? below : box.top - tip.offsetHeight - 2}px`;
    };
    document.addEventListener("pointerover", show);
    document.addEventListener("focusin", show);
    document.addEventListener("focusout", (event) => event.target === owner && hide());
    document.addEventListener("scroll", place, { capture: true, passive: true });
    document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  }

  for (const table of document.querySelectorAll("#scores table.scores")) {
    sortable(table);
    filterable(table);
  }
  for (const controls of document.querySelectorAll("#scores .controls")) controls.hidden = false;
  // On paper nothing can be unfolded.
  window.addEventListener("beforeprint", () => {
    for (const protocol of document.querySelectorAll("details.protocol")) protocol.open = true;
  });
  tooltips();
})();
