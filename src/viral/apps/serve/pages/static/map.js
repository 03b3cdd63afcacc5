// The map: every item as a point. Here it is loaded, coloured, and told to the other parts.
import { choose } from "./map_card.js";
import { draw, prepare, putCodes, putPlaces, readTones, resize } from "./map_gl.js";
import { whole } from "./map_hands.js";
import { TONES, by, canvas, fault, made, map, say, sorted, stage, told } from "./map_view.js";

const form = by("map-controls");
let loads = 0;

const SHAPES = ["M8 1a7 7 0 1 0 0 14a7 7 0 1 0 0-14", "M2 2h12v12h-12z", "M8 .5l7.5 7.5l-7.5 7.5l-7.5-7.5z"];
function swatch(number) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), path = document.createElementNS(svg.namespaceURI, "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add(`tone-${(number % TONES) + 1}`);
  path.setAttribute("d", SHAPES[Math.floor(number / TONES)]);
  svg.append(path);
  return svg;
}
function legend() {
  by("map-about").textContent = [map.colouring.about, map.data.note].filter(Boolean).join(" ");
  by("map-groups").replaceChildren(...map.colouring.groups.map(([name, count], number) => {
    const button = made("button", ""), line = made("li", "");
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.append(swatch(number), made("bdi", name), made("small", told(count)));
    button.addEventListener("click", () => {
      map.alone = map.alone === number ? -1 : number;
      [...by("map-groups").querySelectorAll("button")].forEach((one, place) => one.setAttribute("aria-pressed", String(place === map.alone)));
      draw();
    });
    line.append(button);
    return line;
  }));
}
function colour(name) {
  map.colouring = map.data.colourings.find((one) => one.name === name) ?? map.data.colourings[0];
  map.alone = -1;
  putCodes(map.colouring.codes);
  stage.dataset.colour = map.colouring.name;
  legend();
  draw();
}

function read(buffer, space) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const padded = head.items + ((4 - (head.items % 4)) % 4), first = 4 + length;
  return {
    ...head,
    space,
    places: new Float32Array(buffer, first, 2 * head.items),
    colourings: head.colourings.map((one, n) => ({ ...one, codes: new Uint8Array(buffer, first + 8 * head.items + n * padded, head.items) })),
  };
}
async function load() {
  const wanted = new FormData(form), query = new URLSearchParams({ space: wanted.get("space"), layout: wanted.get("layout") });
  by("map-busy").textContent = say("busy");
  delete stage.dataset.ready;
  const turn = ++loads;
  try {
    const answer = await fetch(`/map/points?${query}`);
    if (!answer.ok) throw new Error(`${answer.status}`);
    const found = read(await answer.arrayBuffer(), wanted.get("space"));
    if (turn !== loads) return;
    map.data = found;
  } catch {
    if (turn === loads) { by("map-busy").textContent = ""; fault(`${say("lost")} ${say("table")}`); }
    return;
  }
  by("map-busy").textContent = map.data.drawn < map.data.items ? say("absent").replace("%(number)s", told(map.data.items - map.data.drawn)) : "";
  by("map-fault").hidden = true;
  map.grid = sorted(map.data.places, map.data.items);
  putPlaces(map.data.places);
  choose(-1, false);
  whole();
  colour(wanted.get("colour"));
  stage.dataset.ready = String(map.data.items);
}

function begin() {
  stage.hidden = false;
  form.addEventListener("change", (event) => {
    history.replaceState(null, "", `/map?${new URLSearchParams(new FormData(form))}`);
    if (event.target.name === "colour") { if (map.data) colour(event.target.value); } else load();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  canvas.addEventListener("webglcontextlost", (event) => { event.preventDefault(); location.reload(); });
  document.addEventListener("viral:theme", readTones);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", readTones);
  new ResizeObserver(resize).observe(canvas);
  resize();
  readTones();
  load();
}
const reason = prepare();
if (reason) {
  fault(`${reason} ${say("table")}`);
  form.addEventListener("change", () => form.submit());
} else begin();
