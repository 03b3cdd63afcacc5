// The tables of a study are sorted by a column: its head becomes a button, and aria-sort says how it stands.
const UNITS = { h: 3600, 小时: 3600, min: 60, 分: 60, s: 1, 秒: 1 };
const DURATION = /(\d[\d.]*)\s*(h|小时|min|分|s|秒)(?![a-z])/g, NUMBER = /[-+]?\d+(\.\d+)?(e-?\d+)?/;

// What a cell is sorted by: seconds, its first number, or its words; null is nothing, and comes last.
function value(cell, numeric) {
  const text = cell.textContent.trim();
  if (!numeric) return text || null;
  const parts = [...text.matchAll(DURATION)];
  if (parts.length) return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * UNITS[unit], 0);
  const found = text.replace(/−/g, "-").replace(/(\d),(?=\d{3})/g, "$1").match(NUMBER);
  return found ? Number(found[0]) : null;
}
function compared(a, b, down) {
  if (a === null || b === null) return (a === null) - (b === null);
  const order = typeof a === "number" ? a - b : a.localeCompare(b, document.documentElement.lang, { numeric: true });
  return down ? -order : order;
}
function sort(table, heads, place) {
  const head = heads[place], numeric = head.classList.contains("number"), before = head.getAttribute("aria-sort");
  const down = before === "none" ? numeric : before === "ascending";  // of numbers the greatest come first
  for (const one of heads) if (one.hasAttribute("aria-sort")) { one.setAttribute("aria-sort", "none"); one.querySelector(".mark").textContent = ""; }
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  head.querySelector(".mark").textContent = down ? "▼" : "▲";
  const rows = [...table.tBodies[0].rows].map((row) => [value(row.cells[place], numeric), row]);
  rows.sort(([a], [b]) => compared(a, b, down));
  table.tBodies[0].append(...rows.map(([, row]) => row));
}
for (const table of document.querySelectorAll(".figures table")) {
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
  if (!heads.length || table.tFoot || table.tBodies[0].rows.length < 2) continue;
  heads.forEach((head, place) => {
    if (head.querySelector(".unseen") || !head.textContent.trim()) return;  // a head that nobody sees is nothing to press
    const button = document.createElement("button"), mark = document.createElement("span");
    button.type = "button";
    button.className = "sort";
    mark.className = "mark";
    mark.setAttribute("aria-hidden", "true");
    button.append(...head.childNodes, mark);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => sort(table, heads, place));
  });
}
