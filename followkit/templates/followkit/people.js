"use strict";
// Sorting, filtering, notes and saving for the table of people. Data stay in the table; without this
// script it is complete, in order and readable. Notes are kept nowhere but in the open page, until
// their reader saves them.
(() => {
  const table = document.querySelector('table[data-script="people"]');
  if (!table) return;
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);
  const start = Array.from(body.rows);
  const STEP = 50;
  const make = (tag, traits, ...inside) => {
    const element = Object.assign(document.createElement(tag), traits);
    element.append(...inside);
    return element;
  };

  // ------------------------------------------------------------------------------------- notes
  const notes = new Map();
  let isUnsaved = false;
  const noteHead = make("th", {scope: "col", className: "fk-left fk-note"}, "your note");
  noteHead.setAttribute("role", "columnheader");
  table.tHead.rows[0].append(noteHead);
  for (const row of start) {
    const box = make("textarea", {rows: 1, maxLength: 2000, autocomplete: "off"});
    box.setAttribute("aria-label", `Your note on ${row.cells[0].firstElementChild.textContent}`);
    box.addEventListener("input", () => {
      isUnsaved = true;
      box.rows = Math.min(6, Math.max(1, box.value.split("\n").length));
    });
    const cell = make("td", {className: "fk-left fk-note"}, box);
    cell.setAttribute("role", "cell");
    row.append(cell);
    notes.set(row, box);
  }
  const readNote = (row) => notes.get(row).value.trim();
  window.addEventListener("beforeunload", (event) => {
    if (isUnsaved && start.some(readNote)) event.preventDefault();
  });

  // ---------------------------------------------------------------------------------- controls
  const search = make("input", {type: "search", id: "fk-search", autocomplete: "off"});
  const state = make("select", {id: "fk-state"});
  const save = make("button", {type: "button"});
  const status = make("p", {className: "fk-below"});
  const more = make("button", {type: "button"});
  const all = make("button", {type: "button"});
  const rest = make("p", {className: "fk-filter"}, more, all);
  status.setAttribute("role", "status");
  const counts = new Map();
  for (const row of start) {
    const key = row.dataset.state;
    const text = row.querySelector(".fk-state").textContent.trim();
    counts.set(key, {text, count: (counts.get(key)?.count ?? 0) + 1});
  }
  state.append(make("option", {value: ""}, `everybody (${start.length})`));
  for (const [key, {text, count}] of counts) {
    state.append(make("option", {value: key}, `${text} (${count})`));
  }
  state.append(make("option", {value: "*note"}, "with a note of yours"));
  const bar = make(
    "div", {className: "fk-filter"},
    make("label", {htmlFor: search.id}, "Search"), search,
    make("label", {htmlFor: state.id}, "Show"), state, save,
  );
  const frame = table.closest(".fk-table");
  frame.classList.add("fk-live");
  frame.before(bar, status);
  frame.after(rest);

  // --------------------------------------------------------------------- what is shown, and how
  const texts = new Map(start.map((row) => [row, row.textContent.toLowerCase()]));
  let ordered = start;
  let limit = STEP;
  let matches = start;
  const matchesWords = (row, words) => {
    const text = `${texts.get(row)} ${notes.get(row).value.toLowerCase()}`;
    return words.every((word) => text.includes(word));
  };
  const render = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = state.value;
    matches = ordered.filter((row) => {
      const fits = wanted === "*note" ? readNote(row) : !wanted || row.dataset.state === wanted;
      return fits && matchesWords(row, words);
    });
    for (const row of start) row.hidden = true;
    for (const row of matches.slice(0, limit)) row.hidden = false;
    const shown = Math.min(limit, matches.length);
    const found = matches.length < start.length ? `; ${matches.length} match` : "";
    status.textContent = `${shown} of ${start.length} people shown${found}`;
    save.textContent = matches.length < start.length
      ? `Save these ${matches.length} as CSV` : `Save all ${start.length} as CSV`;
    const left = matches.length - shown;
    rest.hidden = left === 0;
    more.textContent = `Show ${Math.min(STEP, left)} more`;
    all.textContent = `Show all ${matches.length}`;
  };
  const renderAnew = () => {
    limit = STEP;
    render();
  };
  search.addEventListener("input", renderAnew);
  state.addEventListener("change", renderAnew);
  const show = (count) => {
    const next = matches[limit];
    limit = count;
    render();
    // The button may be gone: go on where the new rows begin.
    next?.querySelector("textarea").focus();
  };
  more.addEventListener("click", () => show(limit + STEP));
  all.addEventListener("click", () => show(Infinity));

  // ----------------------------------------------------------------------------------- sorting
  const collator = new Intl.Collator("en", {numeric: true});
  const readKey = (row, column) => {
    const cell = row.cells[column];
    const number = cell.dataset.value;
    return number === undefined ? cell.textContent.trim() : number === "" ? null : Number(number);
  };
  const compare = (one, other) =>
    typeof one === "number" ? one - other : collator.compare(one, other);
  const sort = (header, column) => {
    const down = header.getAttribute("aria-sort") === "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    ordered = start
      .map((row, place) => ({row, place, key: readKey(row, column)}))
      .sort((a, b) => {
        // What is not known stays last, whichever way.
        if (a.key === null || b.key === null) {
          return (a.key === null) - (b.key === null) || a.place - b.place;
        }
        const order = compare(a.key, b.key);
        return (down ? -order : order) || a.place - b.place;
      })
      .map((item) => item.row);
    body.append(...ordered);
    renderAnew();
  };
  heads.forEach((header, column) => {
    const button = make("button", {type: "button"}, header.textContent);
    header.replaceChildren(button);
    button.addEventListener("click", () => sort(header, column));
  });

  // ------------------------------------------------------------------------------------ saving
  const isNumber = (text) => /^-?\d+(\.\d+)?$/.test(text);
  // Text that a spreadsheet could take for a formula gets an apostrophe in front.
  const guard = (text) =>
    /^[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) && !isNumber(text) ? `'${text}` : text;
  const quote = (text) => (/[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  const write = (cells) => cells.map((text) => quote(guard(text))).join(",");
  const readCell = (cell) => cell.dataset.save ?? cell.textContent.trim();
  const names = [...heads.map((header) => header.dataset.save ?? header.textContent), "note"];
  save.addEventListener("click", () => {
    const lines = matches.map((row) => {
      const cells = Array.from(row.cells).slice(0, heads.length);
      return write([...cells.map(readCell), readNote(row)]);
    });
    // The mark at the start tells spreadsheets that this is UTF-8.
    const text = `\uFEFF${[write(names), ...lines].join("\n")}\n`;
    const address = URL.createObjectURL(new Blob([text], {type: "text/csv;charset=utf-8"}));
    const link = make("a", {href: address, download: table.dataset.file || "people.csv"});
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
    if (start.every((row) => !readNote(row) || matches.includes(row))) isUnsaved = false;
    status.textContent = `Saved ${matches.length} of ${start.length} people as ${link.download}`;
  });

  render();
})();
