// What the map shows, where it lies on the screen, and which point is where.
export const by = (id) => document.getElementById(id);
export const stage = by("map"), canvas = by("map-canvas");
export const TONES = 8;
const CELLS = 256;
const ring = by("map-ring");

// What the parts of the map share: the points and groups, the colouring, the group that is seen alone, the point chosen.
export const map = { data: null, colouring: null, alone: -1, chosen: -1, grid: null, pixels: 1, view: { x: 0, y: 0, zoom: 1 } };

export function fault(text) {
  by("map-fault").textContent = text;
  by("map-fault").hidden = false;
}
// Sentences come with the page, in its language; numbers are written as that language does.
export const say = (name) => stage.getAttribute(`data-say-${name}`) ?? "";
export const told = (number) => number.toLocaleString(document.documentElement.lang || "en");
export function made(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}

export function scale() {
  const side = Math.min(canvas.width, canvas.height) * 0.94 * map.view.zoom;
  return [side / canvas.width, side / canvas.height];
}
// Where a point is on the screen, in CSS pixels from the canvas's corner, and back.
export function screen(point) {
  const [sx, sy] = scale();
  const x = (map.data.places[2 * point] - map.view.x) * sx, y = (map.data.places[2 * point + 1] - map.view.y) * sy;
  return [((x + 1) / 2) * canvas.clientWidth, ((1 - y) / 2) * canvas.clientHeight];
}
export function world(px, py) {
  const [sx, sy] = scale();
  return [map.view.x + ((px / canvas.clientWidth) * 2 - 1) / sx, map.view.y + (1 - (py / canvas.clientHeight) * 2) / sy];
}
export function placeRing() {
  ring.hidden = map.chosen < 0;
  if (map.chosen < 0) return;
  const [x, y] = screen(map.chosen);
  ring.style.transform = `translate(${x}px, ${y}px)`;
  ring.hidden = x < 0 || y < 0 || x > canvas.clientWidth || y > canvas.clientHeight;
}

// Points sorted into square cells, so that the nearest one is found without going through all.
const cell = (value) => Math.max(0, Math.min(CELLS - 1, Math.floor(((value + 1) / 2) * CELLS)));
export function sorted(points, count) {
  const starts = new Uint32Array(CELLS * CELLS + 1), order = new Uint32Array(count);
  const cellOf = (i) => cell(points[2 * i + 1]) * CELLS + cell(points[2 * i]);
  const drawn = (i) => !Number.isNaN(points[2 * i]);
  for (let i = 0; i < count; i++) if (drawn(i)) starts[cellOf(i) + 1]++;
  for (let c = 0; c < CELLS * CELLS; c++) starts[c + 1] += starts[c];
  const next = starts.slice();
  for (let i = 0; i < count; i++) if (drawn(i)) order[next[cellOf(i)]++] = i;
  return { starts, order };
}
const visible = (i) => map.alone < 0 || map.colouring.codes[i] === map.alone;
export function nearest(px, py, reach) {
  const [x, y] = world(px, py);
  const radius = Math.abs(world(px + reach, py)[0] - x);
  let best = -1, least = radius * radius;
  for (let row = cell(y - radius); row <= cell(y + radius); row++) {
    const from = map.grid.starts[row * CELLS + cell(x - radius)], to = map.grid.starts[row * CELLS + cell(x + radius) + 1];
    for (let k = from; k < to; k++) {
      const i = map.grid.order[k], dx = map.data.places[2 * i] - x, dy = map.data.places[2 * i + 1] - y, far = dx * dx + dy * dy;
      if (far < least && visible(i)) [best, least] = [i, far];
    }
  }
  return best;
}
// The next point in a direction: the nearest of those within 45° of it, or the one nearest to the middle at first.
export function neighbour(dx, dy) {
  let best = -1, least = Infinity;
  const [x, y] = map.chosen < 0 ? [map.view.x, map.view.y] : [map.data.places[2 * map.chosen], map.data.places[2 * map.chosen + 1]];
  for (let i = 0; i < map.data.items; i++) {
    const right = map.data.places[2 * i] - x, up = map.data.places[2 * i + 1] - y, along = right * dx + up * dy;
    const off = Math.abs(right * dy - up * dx), far = map.chosen < 0 ? right * right + up * up : along * along + 4 * off * off;
    if (i !== map.chosen && far < least && visible(i) && (map.chosen < 0 || (along > 0 && off <= along))) [best, least] = [i, far];
  }
  return best;
}
