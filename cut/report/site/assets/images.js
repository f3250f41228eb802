// The images: two columns compared by a slider, and a grid of the whole test set, page by page.
// Nothing is built and no image is loaded before the section comes near the window.
"use strict";

(() => {
  const data = document.getElementById("images-data");
  if (!data) return;
  const sets = JSON.parse(data.textContent);
  const { make, fill, reach, walk } = Elements;
  const $ = (id) => document.getElementById(id);
  const ROWS = 25; // of the grid, on a page
  const SMALL = 256; // images below this size show their pixels when enlarged
  let set = sets[0];
  let shown = []; // places of the columns shown: one a group, of the seed and epoch chosen
  let found = []; // indices of the images whose name was asked for
  let at = 0; // place in `found` of the image compared
  let page = 0;
  let asked = false; // whether the reader has chosen anything: only then the address changes

  /** Return the address of image `i` in a column, or null where there is none. */
  function address(column, i) {
    const other = column.other[i];
    if (other === null) return null;
    return column.folder + encodeURIComponent(other ?? set.names[i] + column.ext);
  }

  const describe = (column, i) => `${column.label}: ${set.names[i]}`;

  // -- two columns -------------------------------------------------------------------------------

  const reveal = $("reveal");
  let slider = null;

  function buildSlider() {
    const images = ["first", "second"].map((slot) => make("img", { slot, decoding: "async" }));
    const handle = make("span", { slot: "handle", className: "handle", textContent: "\u2194" });
    handle.setAttribute("aria-hidden", "true");
    slider = make("img-comparison-slider", {}, ...images, handle);
    // The range below does the same by keyboard and has a label, so one tab stop is enough.
    slider.tabIndex = -1;
    slider.setAttribute("keyboard", "disabled");
    slider.addEventListener("slide", () => {
      reveal.value = slider.value;
      describeReveal();
    });
    reveal.addEventListener("input", () => {
      slider.value = reveal.value;
      describeReveal();
    });
    $("slider-place").append(slider);
  }

  function describeReveal() {
    const share = Math.round(reveal.value);
    reveal.setAttribute("aria-valuetext", `${share} % ${$("left-name").textContent}`);
  }

  function compare() {
    const [left, right] = ["left", "right"].map((side) => set.columns[$(side).value]);
    const place = $("slider-place");
    const i = found[at];
    const urls = i === undefined ? [null] : [address(left, i), address(right, i)];
    const lacking = i === undefined ? [] : [left, right].filter((c) => address(c, i) === null);
    $("left-name").textContent = left.label;
    $("right-name").textContent = right.label;
    reveal.setAttribute("aria-label", `Share of ${left.label} shown, the rest is ${right.label}`);
    describeReveal();
    place.hidden = reveal.disabled = urls.includes(null);
    $("at").value = found.length ? at + 1 : "";
    $("at").max = found.length;
    $("previous").disabled = at <= 0;
    $("next").disabled = at >= found.length - 1;
    $("strip").hidden = $("address").hidden = i === undefined;
    if (i === undefined) {
      $("compared").textContent = "No image has this name.";
      return;
    }
    remember(i, left, right);
    const words = `${set.names[i]}, ${at + 1} of ${found.length}`;
    const none = lacking.map((column) => `; ${column.label} has no such image`).join("");
    $("compared").textContent = words + none;
    fillStrip(i);
    if (place.hidden) return;
    slider.style.setProperty("--ratio", set.width / set.height);
    slider.querySelectorAll("img").forEach((image, side) => {
      image.src = urls[side];
      image.alt = describe(side ? right : left, i);
      image.width = set.width;
      image.height = set.height;
    });
  }

  /** Make one button per column shown, with the compared image of that column. */
  function buildStrip() {
    const buttons = shown.map((c) => {
      const column = set.columns[c];
      const image = make("img", { decoding: "async", width: set.width, height: set.height });
      const label = make("span", { textContent: column.label, ariaHidden: "true" });
      const button = make("button", { type: "button", tabIndex: -1 }, image, label);
      button.dataset.column = c;
      button.addEventListener("click", () => {
        $("right").value = c;
        compare();
      });
      return button;
    });
    $("strip").replaceChildren(...buttons);
  }

  function fillStrip(i) {
    const buttons = [...$("strip").children];
    for (const button of buttons) {
      const column = set.columns[button.dataset.column];
      const url = address(column, i);
      button.hidden = url === null;
      button.ariaPressed = String(button.dataset.column === $("right").value);
      if (url === null) continue;
      Object.assign(button.firstChild, { src: url, alt: describe(column, i) });
    }
    const seen = buttons.filter((button) => !button.hidden);
    reach($("strip"), seen.find((button) => button.ariaPressed === "true") ?? seen[0]);
  }

  function goTo(place) {
    at = Math.max(0, Math.min(found.length - 1, place));
    compare();
  }

  // -- a link to what is compared ----------------------------------------------------------------

  const LINK = "#images&"; // the rest is a query: set, image, left, right, each by its name

  /** Put the comparison into the link below it and, once chosen, into the page's address. */
  function remember(i, left, right) {
    const query = { set: set.dataset, image: set.names[i], left: left.label, right: right.label };
    const link = LINK + new URLSearchParams(query);
    $("address").href = link;
    if (asked) history.replaceState(null, "", link);
  }

  /** Show the comparison in the address; ignore names that are not on this page. */
  function follow() {
    const query = new URLSearchParams(location.hash.slice(LINK.length));
    const s = sets.findIndex((entry) => entry.dataset === query.get("set"));
    if (s < 0) return;
    $("set").value = s;
    chooseSet();
    for (const side of ["left", "right"]) {
      const c = set.columns.findIndex((column) => column.label === query.get(side));
      if (c >= 0) $(side).value = c;
    }
    const { seed, epoch } = set.columns[$("right").value];
    if (epoch !== null) [$("seed").value, $("epoch").value] = [seed, epoch];
    showColumns();
    goTo(set.names.indexOf(query.get("image")));
    $("images").scrollIntoView();
  }

  // -- the grid ----------------------------------------------------------------------------------

  const chosen = () => shown.filter((_, g) => $(`column-${g}`).checked).map((c) => set.columns[c]);

  function tile(column, i) {
    const url = address(column, i);
    if (url === null) return make("td", { className: "none", textContent: "none" });
    const image = make("img", {
      loading: "lazy",
      decoding: "async",
      alt: describe(column, i),
      width: set.width,
      height: set.height,
      src: url,
    });
    image.dataset.column = set.columns.indexOf(column);
    return make("td", {}, image);
  }

  function row(i, place, columns) {
    const pick = make("button", { type: "button", textContent: set.names[i] });
    pick.dataset.place = place;
    pick.setAttribute("aria-label", `Compare ${set.names[i]}`);
    const name = make("th", { scope: "row" }, pick);
    return make("tr", {}, name, ...columns.map((column) => tile(column, i)));
  }

  function drawGrid() {
    const columns = chosen();
    const pages = Math.max(1, Math.ceil(found.length / ROWS));
    page = Math.max(0, Math.min(pages - 1, page));
    const first = page * ROWS;
    const shown = found.slice(first, first + ROWS);
    const heads = ["image", ...columns.map((column) => column.label)];
    const head = make("thead", {}, make("tr", {}, ...heads.map((textContent) =>
      make("th", { scope: "col", textContent }))));
    const body = make("tbody", {}, ...shown.map((i, k) => row(i, first + k, columns)));
    const caption = make("caption", {
      className: "hidden",
      textContent: `Images of ${set.dataset}: one row per image, one column per method`,
    });
    const grid = $("grid");
    grid.replaceChildren(caption, head, body);
    grid.parentElement.scrollTop = 0;
    $("page").value = page + 1;
    $("page").max = pages;
    $("page-previous").disabled = page === 0;
    $("page-next").disabled = page === pages - 1;
    const last = first + shown.length;
    $("page-status").textContent = shown.length
      ? `Page ${page + 1} of ${pages}: images ${first + 1} to ${last} of ${found.length}.`
      : "No image has this name.";
  }

  function turn(to) {
    page = to;
    drawGrid();
  }

  /** Compare the image of a row; a click on a picture also chooses its column. */
  function pick(event) {
    const row = event.target.closest("tbody tr");
    const column = event.target.dataset.column;
    const button = event.target.closest("button");
    if (!row || (column === undefined && !button)) return;
    if (column !== undefined) $("right").value = column;
    goTo(Number(row.querySelector("button").dataset.place));
    $("compare-title").scrollIntoView({ block: "start" });
    reveal.focus({ preventScroll: true });
  }

  // -- shared by both parts -----------------------------------------------------------------------

  function find(keep) {
    const words = $("find").value.toLowerCase().trim();
    const all = set.names.map((_, i) => i);
    found = words ? all.filter((i) => set.names[i].toLowerCase().includes(words)) : all;
    at = Math.max(0, found.indexOf(set.names.indexOf(keep)));
    page = Math.floor(at / ROWS);
    $("found").textContent = words ? `${found.length} of ${all.length} images found.` : "";
    compare();
    drawGrid();
  }

  /** Show one column per group, with the chosen seed and epoch, and compare those. */
  function showColumns() {
    const [seed, epoch] = [$("seed").value, $("epoch").value];
    shown = Columns.groups(set).map((group) => Columns.place(set, group, seed, epoch));
    buildStrip();
  }

  function chooseColumns() {
    showColumns();
    for (const side of ["left", "right"]) {
      const { group } = set.columns[$(side).value];
      $(side).value = shown.find((c) => set.columns[c].group === group) ?? $(side).value;
    }
    compare();
    drawGrid();
  }

  function buildBoxes(kept) {
    const boxes = Columns.groups(set).map((group, g) => {
      const checked = kept[group] ?? set.columns.find((c) => c.group === group).chosen;
      const box = make("input", { type: "checkbox", id: `column-${g}`, checked, value: group });
      return make("label", { className: "check" }, box, make("span", { textContent: group }));
    });
    const legend = $("columns").querySelector("legend");
    $("columns").replaceChildren(legend, ...boxes);
  }

  /** Show a data set; choices made for another one are kept where this one has them. */
  function chooseSet() {
    const image = set.names[found[at]];
    const sides = ["left", "right"].map((side) => set.columns[$(side).value]);
    const boxes = [...$("columns").querySelectorAll("input")];
    const kept = Object.fromEntries(boxes.map((box) => [box.value, box.checked]));
    set = sets[$("set").value];
    for (const key of ["seed", "epoch"]) {
      const values = Columns.values(set, key);
      fill($(key), values, values[0]);
      $(key).parentElement.hidden = values.length < 2;
    }
    ["left", "right"].forEach((side, s) => {
      $(side).replaceChildren(...set.columns.map((c, value) => new Option(c.label, value)));
      const place = sides[s] ? Columns.same(set, sides[s]) : -1;
      $(side).value = place < 0 ? set[side] : place;
    });
    buildBoxes(kept);
    showColumns();
    $("absent").textContent = set.absent.length ? `Not shown: ${set.absent.join("; ")}.` : "";
    $("viewer").classList.toggle("pixels", Math.max(set.width, set.height) < SMALL);
    $("find").value = "";
    find(image);
  }

  function start() {
    $("set").replaceChildren(...sets.map((s, value) => new Option(s.dataset, value)));
    buildSlider();
    $("set").addEventListener("change", chooseSet);
    for (const key of ["seed", "epoch"]) $(key).addEventListener("change", chooseColumns);
    $("find").addEventListener("input", () => find());
    walk($("strip"));
    for (const side of ["left", "right"]) $(side).addEventListener("change", compare);
    $("swap").addEventListener("click", () => {
      [$("left").value, $("right").value] = [$("right").value, $("left").value];
      compare();
    });
    $("previous").addEventListener("click", () => goTo(at - 1));
    $("next").addEventListener("click", () => goTo(at + 1));
    $("at").addEventListener("change", () => goTo(Math.round($("at").value || 1) - 1));
    $("columns").addEventListener("change", drawGrid);
    $("tile").addEventListener("change", () =>
      $("grid").style.setProperty("--tile", `${$("tile").value}px`));
    $("page-previous").addEventListener("click", () => turn(page - 1));
    $("page-next").addEventListener("click", () => turn(page + 1));
    $("page").addEventListener("change", () => turn(Math.round($("page").value || 1) - 1));
    $("grid").addEventListener("click", pick);
    for (const kind of ["pointerdown", "keydown"]) {
      $("viewer").addEventListener(kind, () => (asked = true), { capture: true });
    }
    chooseSet();
  }

  /** Show what the page's filter leaves: another data set, or the methods of one family. */
  function filter() {
    const s = sets.findIndex((entry) => entry.dataset === Filter.set);
    if (s >= 0) $("set").value = s;
    chooseSet();
  }

  $("no-viewer").hidden = true;
  $("viewer").hidden = false;
  let started = false;

  function begin() {
    if (started) return;
    started = true;
    near.disconnect();
    start();
    document.addEventListener("filter", filter);
    if (Filter.set || Filter.family) filter();
  }

  const near = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) begin();
  }, { rootMargin: "300px" });

  /** Go to the comparison in the address, if it names one. */
  function arrive() {
    if (!location.hash.startsWith(LINK)) return;
    begin();
    follow();
  }

  window.addEventListener("hashchange", arrive);
  near.observe($("images"));
  arrive();
})();
