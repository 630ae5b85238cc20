"use strict";
// Sorting and filtering for the list of reports. Data stay in the table; without this script it is
// complete, in order and readable.
(() => {
  const table = document.querySelector("table.fk-list");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const status = document.createElement("p");
  status.setAttribute("role", "status");
  status.className = "fk-below";

  const search = document.createElement("input");
  search.type = "search";
  search.id = "fk-filter";
  const label = document.createElement("label");
  label.htmlFor = search.id;
  label.textContent = "Show reports with";
  const bar = document.createElement("p");
  bar.className = "fk-filter";
  bar.append(label, search);
  table.closest(".fk-table").before(bar, status);

  const texts = rows.map((row) => row.textContent.toLowerCase());
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, number) => {
      row.hidden = !words.every((word) => texts[number].includes(word));
      shown += row.hidden ? 0 : 1;
    });
    status.textContent = words.length ? `${shown} of ${rows.length} reports shown` : "";
  };
  search.addEventListener("input", filter);

  const value = (row, column) => {
    const cell = row.cells[column];
    const number = cell.dataset.value;
    return number === undefined ? cell.textContent.trim() : number === "" ? null : Number(number);
  };
  const compare = (one, other) => {
    if (one === null || other === null) return (one === null) - (other === null);
    return typeof one === "number" ? one - other : one.localeCompare(other, "en", {numeric: true});
  };
  const sort = (header, column) => {
    const down = header.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    rows
      .map((row, place) => ({row, place, key: value(row, column)}))
      .sort((a, b) => {
        const order = compare(a.key, b.key);
        const missing = a.key === null || b.key === null;
        return (down && !missing ? -order : order) || a.place - b.place;
      })
      .forEach((item) => body.append(item.row));
  };
  Array.from(table.tHead.rows[0].cells).forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = header.textContent;
    header.replaceChildren(button);
    button.addEventListener("click", () => sort(header, column));
  });
})();
