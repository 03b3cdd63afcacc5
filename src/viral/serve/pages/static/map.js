// The map: every item as a point, drawn by WebGL 2 in one or two calls. No library: those compile shaders' helpers by
// eval, which the page's policy forbids.
(() => {
  "use strict";
  const by = (id) => document.getElementById(id);
  const stage = by("map"), canvas = by("map-canvas"), form = by("map-controls"), ring = by("map-ring"), card = by("map-card");
  if (!stage) return;
  const gl = canvas.getContext("webgl2", { antialias: false, alpha: true, premultipliedAlpha: true });
  const NONE = 255, TONES = 8, REACH = 14, CELLS = 256, STEP = 0.12;
  const view = { x: 0, y: 0, zoom: 1 };
  let data = null, colouring = null, alone = -1, chosen = -1, grid = null, asked = 0, drawing = 0, pixels = 1, tones = [];

  function fault(text) {
    by("map-fault").textContent = text;
    by("map-fault").hidden = false;
  }
  if (!gl) {
    fault("This browser draws no WebGL 2. The table below has the same items.");
    form.addEventListener("change", () => form.submit());
    return;
  }
  stage.hidden = false;

  const VERTEX = `#version 300 es
    layout(location = 0) in vec2 place;
    layout(location = 1) in float code;
    uniform vec2 centre, scale;
    uniform float size, alone, pass;
    uniform vec4 tones[9];
    flat out vec4 tone;
    flat out int shape;
    void main() {
      bool none = code > 254.5;
      bool shown = alone < -0.5 || abs(code - alone) < 0.5;
      bool now = pass < 0.5 ? !shown : shown;
      int number = int(code + 0.5);
      tone = none ? tones[0] : tones[1 + number % 8];
      if (pass < 0.5) tone *= 0.16;
      shape = none ? 0 : number / 8;
      gl_Position = now ? vec4((place - centre) * scale, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
      gl_PointSize = size;
    }`;
  const FRAGMENT = `#version 300 es
    precision highp float;
    flat in vec4 tone;
    flat in int shape;
    uniform float size;
    out vec4 colour;
    void main() {
      vec2 at = abs(gl_PointCoord * 2.0 - 1.0);
      float far = shape == 0 ? length(at) : shape == 1 ? max(at.x, at.y) * 1.15 : (at.x + at.y) * 0.95;
      float soft = 2.0 / size;
      float cover = 1.0 - smoothstep(1.0 - soft, 1.0, far);
      if (cover <= 0.0) discard;
      colour = tone * cover;
    }`;
  function compiled(kind, text) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    return shader;
  }
  const program = gl.createProgram();
  gl.attachShader(program, compiled(gl.VERTEX_SHADER, VERTEX));
  gl.attachShader(program, compiled(gl.FRAGMENT_SHADER, FRAGMENT));
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
    stage.hidden = true;
    fault("This browser cannot draw the map. The table below has the same items.");
    return;
  }
  gl.useProgram(program);
  const at = Object.fromEntries(["centre", "scale", "size", "alone", "pass", "tones"].map((n) => [n, gl.getUniformLocation(program, n)]));
  const places = gl.createBuffer(), codes = gl.createBuffer();
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);

  // Colours are the style sheet's, so that light and dark and high contrast are its business alone.
  function readTones() {
    tones = [];
    const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    for (let tone = 0; tone <= TONES; tone++) {
      const probe = document.createElement("span");  // a new one each time: a style sheet's transition would keep the first
      probe.style.color = `var(--tone-${tone})`;
      stage.append(probe);
      paint.clearRect(0, 0, 1, 1);
      paint.fillStyle = getComputedStyle(probe).color;
      paint.fillRect(0, 0, 1, 1);
      probe.remove();
      const strength = tone ? 0.85 : 0.6;
      tones.push(...[...paint.getImageData(0, 0, 1, 1).data.slice(0, 3)].map((part) => (part / 255) * strength), strength);
    }
    draw();
  }

  function scale() {
    const side = Math.min(canvas.width, canvas.height) * 0.94 * view.zoom;
    return [side / canvas.width, side / canvas.height];
  }
  function draw() {
    if (!drawing) drawing = requestAnimationFrame(paint);
  }
  function paint() {
    drawing = 0;
    if (!data || !canvas.width) return;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const whole = Math.max(2.5, Math.min(9, 300 / Math.sqrt(data.items)));
    gl.uniform2f(at.centre, view.x, view.y);
    gl.uniform2f(at.scale, ...scale());
    gl.uniform1f(at.size, Math.min(22, whole * Math.pow(view.zoom, 0.4)) * pixels);
    gl.uniform1f(at.alone, alone);
    gl.uniform4fv(at.tones, tones);
    for (const pass of alone < 0 ? [1] : [0, 1]) {
      gl.uniform1f(at.pass, pass);
      gl.drawArrays(gl.POINTS, 0, data.items);
    }
    placeRing();
    canvas.dataset.drawn = String(Number(canvas.dataset.drawn || 0) + 1);
  }
  function resize() {
    pixels = Math.min(2, devicePixelRatio || 1);
    canvas.width = Math.round(canvas.clientWidth * pixels);
    canvas.height = Math.round(canvas.clientHeight * pixels);
    draw();
  }

  // Where a point is on the screen, in CSS pixels from the canvas's corner, and back.
  function screen(point) {
    const [sx, sy] = scale();
    const x = (data.places[2 * point] - view.x) * sx, y = (data.places[2 * point + 1] - view.y) * sy;
    return [((x + 1) / 2) * canvas.clientWidth, ((1 - y) / 2) * canvas.clientHeight];
  }
  function world(px, py) {
    const [sx, sy] = scale();
    return [view.x + ((px / canvas.clientWidth) * 2 - 1) / sx, view.y + (1 - (py / canvas.clientHeight) * 2) / sy];
  }
  function placeRing() {
    ring.hidden = chosen < 0;
    if (chosen < 0) return;
    const [x, y] = screen(chosen);
    ring.style.transform = `translate(${x}px, ${y}px)`;
    ring.hidden = x < 0 || y < 0 || x > canvas.clientWidth || y > canvas.clientHeight;
  }

  // Points sorted into square cells, so that the nearest one is found without going through all.
  const cell = (value) => Math.max(0, Math.min(CELLS - 1, Math.floor(((value + 1) / 2) * CELLS)));
  function sorted(points, count) {
    const starts = new Uint32Array(CELLS * CELLS + 1), order = new Uint32Array(count);
    const cellOf = (i) => cell(points[2 * i + 1]) * CELLS + cell(points[2 * i]);
    const drawn = (i) => !Number.isNaN(points[2 * i]);
    for (let i = 0; i < count; i++) if (drawn(i)) starts[cellOf(i) + 1]++;
    for (let c = 0; c < CELLS * CELLS; c++) starts[c + 1] += starts[c];
    const next = starts.slice();
    for (let i = 0; i < count; i++) if (drawn(i)) order[next[cellOf(i)]++] = i;
    return { starts, order };
  }
  const visible = (i) => alone < 0 || colouring.codes[i] === alone;
  function nearest(px, py, reach) {
    const [x, y] = world(px, py);
    const radius = Math.abs(world(px + reach, py)[0] - x);
    let best = -1, least = radius * radius;
    for (let row = cell(y - radius); row <= cell(y + radius); row++) {
      const from = grid.starts[row * CELLS + cell(x - radius)], to = grid.starts[row * CELLS + cell(x + radius) + 1];
      for (let k = from; k < to; k++) {
        const i = grid.order[k], dx = data.places[2 * i] - x, dy = data.places[2 * i + 1] - y, far = dx * dx + dy * dy;
        if (far < least && visible(i)) [best, least] = [i, far];
      }
    }
    return best;
  }
  // The next point in a direction: the nearest of those within 45° of it, or the one nearest to the middle at first.
  function neighbour(dx, dy) {
    let best = -1, least = Infinity;
    const [x, y] = chosen < 0 ? [view.x, view.y] : [data.places[2 * chosen], data.places[2 * chosen + 1]];
    for (let i = 0; i < data.items; i++) {
      const right = data.places[2 * i] - x, up = data.places[2 * i + 1] - y, along = right * dx + up * dy;
      const off = Math.abs(right * dy - up * dx), far = chosen < 0 ? right * right + up * up : along * along + 4 * off * off;
      if (i !== chosen && far < least && visible(i) && (chosen < 0 || (along > 0 && off <= along))) [best, least] = [i, far];
    }
    return best;
  }

  const known = new Map();
  async function about(point) {
    const key = `${point} ${data.space}`;
    if (!known.has(key)) {
      const answer = await fetch(`/map/items/${point}?space=${encodeURIComponent(data.space)}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.status);
      if (known.size > 2000) known.clear();
      known.set(key, await answer.json());
    }
    return known.get(key);
  }
  async function choose(point, spoken) {
    if (point === chosen) return;
    chosen = point;
    canvas.classList.toggle("on-point", point >= 0);
    draw();
    const turn = ++asked;
    if (point < 0) { card.hidden = true; return; }
    await new Promise((done) => setTimeout(done, 40));  // a pointer that only passes asks for nothing
    if (turn !== asked) return;
    let item;
    try { item = await about(point); } catch { if (turn === asked) card.hidden = true; return; }
    if (turn !== asked) return;
    if (item.etag !== data.etag) { fault("The bundle has changed since: load the page again."); return; }
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
  function made(name, text) {
    const element = document.createElement(name);
    element.textContent = text;
    return element;
  }
  const open = () => { if (chosen >= 0 && !card.hidden) location.href = by("map-card-link").href; };

  function zoom(factor, px = canvas.clientWidth / 2, py = canvas.clientHeight / 2) {
    const [x, y] = world(px, py);
    view.zoom = Math.max(0.5, Math.min(400, view.zoom * factor));
    const [nx, ny] = world(px, py);
    view.x += x - nx;
    view.y += y - ny;
    draw();
  }
  function pan(dx, dy) {
    const [x, y] = world(0, 0), [nx, ny] = world(dx, dy);
    view.x -= nx - x;
    view.y -= ny - y;
    draw();
  }
  function whole() { Object.assign(view, { x: 0, y: 0, zoom: 1 }); draw(); }
  function follow(point) {
    const [x, y] = screen(point), w = canvas.clientWidth, h = canvas.clientHeight;
    if (x < w * STEP || x > w * (1 - STEP) || y < h * STEP || y > h * (1 - STEP)) pan(w / 2 - x, h / 2 - y);
  }

  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  canvas.addEventListener("keydown", (event) => {
    if (!data || event.ctrlKey || event.metaKey || event.altKey) return;
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
    if (!data) return;
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
    if (moved > 4 || !data) return;
    const point = nearest(event.offsetX, event.offsetY, event.pointerType === "touch" ? 2 * REACH : REACH);
    const touched = event.pointerType === "touch" && point !== chosen;  // the first touch shows, the second opens
    await choose(point, true);
    if (point >= 0 && !touched) location.href = (await about(point)).href;
  });
  canvas.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
  by("map-in").addEventListener("click", () => zoom(1.6));
  by("map-out").addEventListener("click", () => zoom(1 / 1.6));
  by("map-whole").addEventListener("click", whole);

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
    by("map-about").textContent = [colouring.about, data.note].filter(Boolean).join(" ");
    by("map-groups").replaceChildren(...colouring.groups.map(([name, count], number) => {
      const button = made("button", ""), line = made("li", "");
      button.type = "button";
      button.setAttribute("aria-pressed", "false");
      button.append(swatch(number), made("bdi", name), made("small", count.toLocaleString("en")));
      button.addEventListener("click", () => {
        alone = alone === number ? -1 : number;
        [...by("map-groups").querySelectorAll("button")].forEach((one, place) => one.setAttribute("aria-pressed", String(place === alone)));
        draw();
      });
      line.append(button);
      return line;
    }));
  }
  function colour(name) {
    colouring = data.colourings.find((one) => one.name === name) ?? data.colourings[0];
    alone = -1;
    gl.bindBuffer(gl.ARRAY_BUFFER, codes);
    gl.bufferData(gl.ARRAY_BUFFER, colouring.codes, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(1);
    gl.vertexAttribPointer(1, 1, gl.UNSIGNED_BYTE, false, 0, 0);
    stage.dataset.colour = colouring.name;
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
    by("map-busy").textContent = "Laying out the items …";
    delete stage.dataset.ready;
    const turn = ++loads;
    try {
      const answer = await fetch(`/map/points?${query}`);
      if (!answer.ok) throw new Error(`${answer.status}`);
      const found = read(await answer.arrayBuffer(), wanted.get("space"));
      if (turn !== loads) return;
      data = found;
    } catch {
      if (turn === loads) { by("map-busy").textContent = ""; fault("The map could not be loaded. The table below has the same items."); }
      return;
    }
    by("map-busy").textContent = data.drawn < data.items ? `${(data.items - data.drawn).toLocaleString("en")} items have nothing to be laid out by` : "";
    by("map-fault").hidden = true;
    grid = sorted(data.places, data.items);
    gl.bindBuffer(gl.ARRAY_BUFFER, places);
    gl.bufferData(gl.ARRAY_BUFFER, data.places, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    choose(-1, false);
    whole();
    colour(wanted.get("colour"));
    stage.dataset.ready = String(data.items);
  }
  let loads = 0;
  form.addEventListener("change", (event) => {
    history.replaceState(null, "", `/map?${new URLSearchParams(new FormData(form))}`);
    if (event.target.name === "colour") { if (data) colour(event.target.value); } else load();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  canvas.addEventListener("webglcontextlost", (event) => { event.preventDefault(); location.reload(); });
  document.addEventListener("viral:theme", readTones);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", readTones);
  new ResizeObserver(resize).observe(canvas);
  resize();
  readTones();
  load();
})();
