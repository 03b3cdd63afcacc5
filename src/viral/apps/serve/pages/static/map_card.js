// The card of the point that is chosen.
import { draw } from "./map_gl.js";
import { by, canvas, fault, made, map, say } from "./map_view.js";

const card = by("map-card");
let asked = 0;

const known = new Map();
export async function about(point) {
  const key = `${point} ${map.data.space}`;
  if (!known.has(key)) {
    const answer = await fetch(`/map/items/${point}?space=${encodeURIComponent(map.data.space)}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.status);
    if (known.size > 2000) known.clear();
    known.set(key, await answer.json());
  }
  return known.get(key);
}
export async function choose(point, spoken) {
  if (point === map.chosen) return;
  map.chosen = point;
  canvas.classList.toggle("on-point", point >= 0);
  draw();
  const turn = ++asked;
  if (point < 0) { card.hidden = true; return; }
  await new Promise((done) => setTimeout(done, 40));  // a pointer that only passes asks for nothing
  if (turn !== asked) return;
  let item;
  try { item = await about(point); } catch { if (turn === asked) card.hidden = true; return; }
  if (turn !== asked) return;
  if (item.etag !== map.data.etag) { fault(say("changed")); return; }
  show(item, spoken);
}
function show(item, spoken) {
  const picture = by("map-card-picture");
  by("map-card-title").textContent = item.title;
  by("map-card-link").href = item.href;
  picture.hidden = !item.picture;
  if (item.picture) picture.src = item.picture; else picture.removeAttribute("src");
  by("map-card-groups").replaceChildren(...item.groups.flatMap(([label, group]) => [made("dt", label), made("dd", group)]));
  card.hidden = false;
  if (spoken) by("map-live").textContent = [item.title, ...item.groups.map(([label, group]) => `${label}: ${group}`)].join(", ");
}
export const open = () => { if (map.chosen >= 0 && !card.hidden) location.href = by("map-card-link").href; };
