// Keys, wheel and pointers: moving the map, and choosing points.
import { about, choose, open } from "./map_card.js";
import { draw } from "./map_gl.js";
import { by, canvas, map, nearest, neighbour, screen, world } from "./map_view.js";

const REACH = 14, STEP = 0.12;  // CSS pixels around a pointer, and the share of the width that a key moves by

function zoom(factor, px = canvas.clientWidth / 2, py = canvas.clientHeight / 2) {
  const [x, y] = world(px, py);
  map.view.zoom = Math.max(0.5, Math.min(400, map.view.zoom * factor));
  const [nx, ny] = world(px, py);
  map.view.x += x - nx;
  map.view.y += y - ny;
  draw();
}
function pan(dx, dy) {
  const [x, y] = world(0, 0), [nx, ny] = world(dx, dy);
  map.view.x -= nx - x;
  map.view.y -= ny - y;
  draw();
}
export function whole() { Object.assign(map.view, { x: 0, y: 0, zoom: 1 }); draw(); }
function follow(point) {
  const [x, y] = screen(point), w = canvas.clientWidth, h = canvas.clientHeight;
  if (x < w * STEP || x > w * (1 - STEP) || y < h * STEP || y > h * (1 - STEP)) pan(w / 2 - x, h / 2 - y);
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
canvas.addEventListener("keydown", (event) => {
  if (!map.data || event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = ARROWS[event.key];
  if (arrow && event.shiftKey) pan(-arrow[0] * canvas.clientWidth * STEP, arrow[1] * canvas.clientHeight * STEP);
  else if (arrow) {
    const point = neighbour(...arrow);
    if (point >= 0) { choose(point, true); follow(point); }
  } else if (event.key === "+" || event.key === "=") zoom(1.4);
  else if (event.key === "-") zoom(1 / 1.4);
  else if (event.key === "0") whole();
  else if (event.key === "Enter") open();
  else if (event.key === "Escape") choose(-1, false);
  else return;
  event.preventDefault();
});
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), event.offsetX, event.offsetY);
}, { passive: false });
const fingers = new Map();
let moved = 0;
canvas.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  canvas.setPointerCapture(event.pointerId);
  if (!fingers.size) moved = 0;
  fingers.set(event.pointerId, [event.offsetX, event.offsetY]);
});
canvas.addEventListener("pointermove", (event) => {
  if (!map.data) return;
  const last = fingers.get(event.pointerId);
  if (!last) { choose(nearest(event.offsetX, event.offsetY, REACH), false); return; }
  const [dx, dy] = [event.offsetX - last[0], event.offsetY - last[1]];
  moved += Math.abs(dx) + Math.abs(dy);
  if (fingers.size === 2) {
    const other = [...fingers].find(([id]) => id !== event.pointerId)[1];
    const before = Math.hypot(last[0] - other[0], last[1] - other[1]), now = Math.hypot(event.offsetX - other[0], event.offsetY - other[1]);
    if (before > 0) zoom(now / before, (event.offsetX + other[0]) / 2, (event.offsetY + other[1]) / 2);
  } else if (moved > 4) { canvas.classList.add("dragging"); pan(dx, dy); }
  fingers.set(event.pointerId, [event.offsetX, event.offsetY]);
});
canvas.addEventListener("pointerup", async (event) => {
  if (!fingers.delete(event.pointerId)) return;
  canvas.classList.remove("dragging");
  if (moved > 4 || !map.data) return;
  const point = nearest(event.offsetX, event.offsetY, event.pointerType === "touch" ? 2 * REACH : REACH);
  const touched = event.pointerType === "touch" && point !== map.chosen;  // the first touch shows, the second opens
  await choose(point, true);
  if (point >= 0 && !touched) location.href = (await about(point)).href;
});
canvas.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
by("map-in").addEventListener("click", () => zoom(1.6));
by("map-out").addEventListener("click", () => zoom(1 / 1.6));
by("map-whole").addEventListener("click", whole);
