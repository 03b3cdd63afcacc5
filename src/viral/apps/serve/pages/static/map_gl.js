// The points, drawn by WebGL 2 in one or two calls. No library: those compile shaders' helpers by eval, which the page's
// policy forbids.
import { TONES, canvas, map, placeRing, say, scale, stage } from "./map_view.js";

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

const gl = canvas.getContext("webgl2", { antialias: false, alpha: true, premultipliedAlpha: true });
let at = {}, places = null, codes = null, drawing = 0, tones = [];

function compiled(kind, text) {
  const shader = gl.createShader(kind);
  gl.shaderSource(shader, text);
  gl.compileShader(shader);
  return shader;
}
// Make ready to draw; "" or why that cannot be.
export function prepare() {
  if (!gl) return say("no-webgl");
  const program = gl.createProgram();
  gl.attachShader(program, compiled(gl.VERTEX_SHADER, VERTEX));
  gl.attachShader(program, compiled(gl.FRAGMENT_SHADER, FRAGMENT));
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return say("no-map");
  gl.useProgram(program);
  at = Object.fromEntries(["centre", "scale", "size", "alone", "pass", "tones"].map((n) => [n, gl.getUniformLocation(program, n)]));
  [places, codes] = [gl.createBuffer(), gl.createBuffer()];
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  return "";
}
// Where the points are, and of which group each is.
export function putPlaces(values) {
  gl.bindBuffer(gl.ARRAY_BUFFER, places);
  gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
  gl.enableVertexAttribArray(0);
  gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
}
export function putCodes(values) {
  gl.bindBuffer(gl.ARRAY_BUFFER, codes);
  gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
  gl.enableVertexAttribArray(1);
  gl.vertexAttribPointer(1, 1, gl.UNSIGNED_BYTE, false, 0, 0);
}

// Colours are the style sheet's, so that light and dark and high contrast are its business alone.
export function readTones() {
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

export function draw() {
  if (!drawing) drawing = requestAnimationFrame(paint);
}
function paint() {
  drawing = 0;
  if (!map.data || !canvas.width) return;
  gl.viewport(0, 0, canvas.width, canvas.height);
  gl.clearColor(0, 0, 0, 0);
  gl.clear(gl.COLOR_BUFFER_BIT);
  const whole = Math.max(2.5, Math.min(9, 300 / Math.sqrt(map.data.items)));
  gl.uniform2f(at.centre, map.view.x, map.view.y);
  gl.uniform2f(at.scale, ...scale());
  gl.uniform1f(at.size, Math.min(22, whole * Math.pow(map.view.zoom, 0.4)) * map.pixels);
  gl.uniform1f(at.alone, map.alone);
  gl.uniform4fv(at.tones, tones);
  for (const pass of map.alone < 0 ? [1] : [0, 1]) {
    gl.uniform1f(at.pass, pass);
    gl.drawArrays(gl.POINTS, 0, map.data.items);
  }
  placeRing();
  canvas.dataset.drawn = String(Number(canvas.dataset.drawn || 0) + 1);
}
export function resize() {
  map.pixels = Math.min(2, devicePixelRatio || 1);
  canvas.width = Math.round(canvas.clientWidth * map.pixels);
  canvas.height = Math.round(canvas.clientHeight * map.pixels);
  draw();
}
