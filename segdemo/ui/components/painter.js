// The painter: pictures of one size side by side under one pointer, and a brush on those that may be painted on.
// A stroke is drawn at once and sent as run lengths; it is sent again with every later one until the server has it.

const SIZES = { least: 1, most: 40 };
const LONG_STEP = 8; // pixels that an arrow key moves the brush with Shift held; 1 without

function makePainter(parent) {
  const root = parent.querySelector(".root");
  const panels = element("div", { class: "panels" }), tools = element("div", { class: "tools hidden", role: "toolbar" });
  const said = element("div", { class: "said", role: "status" }), hint = element("p", { class: "hint" });
  root.replaceChildren(panels, tools, hint, said);
  const painter = {
    root, panels, tools, said, hint, data: null, views: new Map(), active: null, mode: "add", size: 9, at: null, pen: false, stroke: null,
    client: Math.random().toString(36).slice(2, 12), sent: 0, waiting: [],
  };
  buildTools(painter);
  return painter;
}

// ---- tools ----------------------------------------------------------------------------------------------------------

function icon(path) {
  return vector("svg", { viewBox: "0 0 24 24", width: 18, height: 18, "aria-hidden": "true" }, vector("path", { d: path }));
}

function buildTools(painter) {
  const tool = (name, path, act) => {
    const button = element("button", { type: "button", class: `tool ${name}` }, icon(path), element("span"));
    button.addEventListener("click", act);
    return button;
  };
  const add = tool("add", "M4 20l4-1 11-11-3-3L5 16zM14 7l3 3", () => setMode(painter, "add"));
  const erase = tool("erase", "M4 15l9-9 6 6-8 8H8zM9 20h11", () => setMode(painter, "erase"));
  const undo = tool("undo", "M8 5L4 9l4 4M4 9h10a5 5 0 010 10h-4", () => command(painter, "undo"));
  const clear = tool("clear", "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13", () => command(painter, "clear"));
  const range = element("input", { type: "range", min: SIZES.least, max: SIZES.most, step: 1, value: painter.size });
  range.addEventListener("input", () => { painter.size = Number(range.value); draw(painter); });
  const size = element("label", { class: "size" }, element("span", { class: "name" }), range, element("b"));
  const modes = element("div", { class: "modes", role: "group" }, add, erase);
  painter.tools.append(modes, size, undo, clear);
  Object.assign(painter, { add, erase, undo, clear, range, sizeLabel: size });
}

function setMode(painter, mode) {
  painter.mode = mode;
  draw(painter);
}

function command(painter, name) {
  if (!painter.active) return;
  send(painter, { op: name, panel: painter.active });
  painter.said.textContent = painter.data.words[name];
}

// ---- panels ---------------------------------------------------------------------------------------------------------

function buildPanels(painter) {
  // Rebuilt only if the panels themselves changed, so that the focus stays.
  const keys = painter.data.panels.map((panel) => `${panel.key}:${panel.paint}`).join();
  if (keys === painter.keys) return;
  painter.keys = keys;
  painter.views.clear();
  painter.panels.replaceChildren(...painter.data.panels.map((panel) => {
    const image = element("img", { alt: "", draggable: "false" }), canvas = element("canvas", { "aria-hidden": "true" });
    const brush = vector("circle", { class: "brush" }), halo = vector("circle", { class: "brush under" });
    const lines = vector("svg", { class: "lines", "aria-hidden": "true", preserveAspectRatio: "none" }, halo, brush);
    const frame = element("div", { class: `frame${panel.paint ? " paint" : ""}` }, image, canvas, lines);
    const title = element("b"), note = element("span", { class: "note" }); // swatches too, where a picture has colours
    const view = { key: panel.key, frame, image, canvas, lines, brush, halo, title, note };
    painter.views.set(panel.key, view);
    listenTo(painter, view, panel.paint);
    return element("figure", { "data-key": panel.key }, element("figcaption", {}, title, note), frame);
  }));
  const first = painter.data.panels.filter((panel) => panel.paint).map((panel) => panel.key);
  if (!first.includes(painter.active)) painter.active = first[first.length - 1] ?? null;
}

function listenTo(painter, view, paints) {
  const { frame } = view;
  frame.addEventListener("pointermove", (event) => {
    const events = painter.stroke && event.getCoalescedEvents ? event.getCoalescedEvents() : [event];
    for (const one of events.length ? events : [event]) moveTo(painter, placeOf(painter, frame, one));
  });
  frame.addEventListener("pointerleave", () => { if (!painter.stroke && !painter.pen) { painter.at = null; draw(painter); } });
  if (!paints) return;
  frame.tabIndex = 0;
  frame.setAttribute("role", "application");
  frame.addEventListener("focus", () => { painter.active = view.key; draw(painter); });
  frame.addEventListener("pointerdown", (event) => {
    if (event.button > 0 || painter.stroke) return;
    event.preventDefault();
    frame.focus({ preventScroll: true });
    try { frame.setPointerCapture(event.pointerId); } catch { /* a pointer made by a script cannot be captured */ }
    painter.active = view.key;
    begin(painter, placeOf(painter, frame, event), event.button === 0 && event.shiftKey ? other(painter.mode) : painter.mode);
  });
  frame.addEventListener("pointerup", () => finish(painter));
  frame.addEventListener("pointercancel", () => finish(painter));
  frame.addEventListener("keydown", (event) => onKey(painter, event));
  frame.addEventListener("blur", () => { if (painter.pen) { painter.pen = false; finish(painter); } });
}

function other(mode) {
  return mode === "add" ? "erase" : "add";
}

function placeOf(painter, frame, event) {
  const box = frame.getBoundingClientRect(), { width, height } = painter.data;
  return { x: ((event.clientX - box.left) / box.width) * width, y: ((event.clientY - box.top) / box.height) * height };
}

function onKey(painter, event) {
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && key === "z") { event.preventDefault(); return command(painter, "undo"); }
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const { width, height } = painter.data, from = painter.at ?? { x: width / 2, y: height / 2 };
  const way = { arrowleft: [-1, 0], arrowright: [1, 0], arrowup: [0, -1], arrowdown: [0, 1] }[key];
  const act = {
    " ": () => { begin(painter, from, painter.mode); finish(painter); painter.pen = false; },
    enter: () => { painter.pen = !painter.pen; painter.pen ? begin(painter, from, painter.mode) : finish(painter); },
    escape: () => { painter.pen = false; finish(painter); },
    e: () => setMode(painter, other(painter.mode)),
    "[": () => resize(painter, -2), "]": () => resize(painter, 2),
  }[key];
  if (!way && !act) return;
  event.preventDefault();
  if (act) { act(); return draw(painter); }
  const step = event.shiftKey ? LONG_STEP : 1;
  moveTo(painter, { x: Math.min(width - 0.5, Math.max(0.5, from.x + step * way[0])), y: Math.min(height - 0.5, Math.max(0.5, from.y + step * way[1])) });
}

function resize(painter, by) {
  painter.size = Math.min(SIZES.most, Math.max(SIZES.least, painter.size + by));
  painter.range.value = String(painter.size);
}

// ---- strokes --------------------------------------------------------------------------------------------------------

function begin(painter, at, mode) {
  const { width, height } = painter.data;
  painter.stroke = { panel: painter.active, mode, covered: new Uint8Array(width * height), last: at };
  painter.at = at;
  dab(painter, at);
  draw(painter);
}

function moveTo(painter, at) {
  const { stroke } = painter;
  painter.at = at;
  if (stroke) {
    const far = Math.hypot(at.x - stroke.last.x, at.y - stroke.last.y), steps = Math.max(1, Math.ceil(far / Math.max(0.5, painter.size / 4)));
    for (let k = 1; k <= steps; k++) dab(painter, { x: stroke.last.x + ((at.x - stroke.last.x) * k) / steps, y: stroke.last.y + ((at.y - stroke.last.y) * k) / steps });
    stroke.last = at;
  }
  draw(painter);
}

function dab(painter, at) {
  // All pixels whose centres lie under the brush, and always the one that it points at.
  const { width, height } = painter.data, { covered } = painter.stroke, radius = painter.size / 2;
  for (let y = Math.max(0, Math.floor(at.y - radius)); y < Math.min(height, at.y + radius); y++) {
    for (let x = Math.max(0, Math.floor(at.x - radius)); x < Math.min(width, at.x + radius); x++) {
      if (Math.hypot(x + 0.5 - at.x, y + 0.5 - at.y) <= radius) covered[y * width + x] = 1;
    }
  }
  const x = Math.floor(at.x), y = Math.floor(at.y);
  if (x >= 0 && y >= 0 && x < width && y < height) covered[y * width + x] = 1;
}

function finish(painter) {
  const { stroke } = painter;
  painter.stroke = null;
  if (stroke && stroke.covered.includes(1)) send(painter, { op: "stroke", panel: stroke.panel, mode: stroke.mode, runs: runsOf(stroke.covered) }, stroke);
  draw(painter);
}

function runsOf(covered) {
  const runs = [];
  let now = 0, length = 0;
  for (const value of covered) {
    if (value !== now) { runs.push(length); now = value; length = 0; }
    length++;
  }
  runs.push(length);
  return runs;
}

function send(painter, op, stroke) {
  painter.waiting.push({ message: { n: ++painter.sent, ...op }, stroke });
  painter.report({ client: painter.client, scene: painter.data.scene, ops: painter.waiting.map(({ message }) => message) });
}

// ---- drawing --------------------------------------------------------------------------------------------------------

function draw(painter) {
  const { data, views, active, at } = painter;
  if (!data) return;
  const paints = data.panels.some((panel) => panel.paint), radius = painter.size / 2;
  painter.root.classList.toggle("erasing", painter.mode === "erase");
  painter.tools.classList.toggle("hidden", !paints);
  for (const mode of ["add", "erase"]) painter[mode].setAttribute("aria-pressed", String(painter.mode === mode));
  painter.sizeLabel.querySelector("b").textContent = `${painter.size} px`;
  for (const panel of data.panels) {
    const view = views.get(panel.key), shown = paints || panel.cross ? at : null;
    view.frame.classList.toggle("active", panel.paint && panel.key === active && data.panels.filter((one) => one.paint).length > 1);
    view.lines.setAttribute("viewBox", `0 0 ${data.width} ${data.height}`);
    for (const circle of [view.brush, view.halo]) {
      circle.classList.toggle("hidden", !shown);
      if (shown) for (const [name, value] of [["cx", shown.x], ["cy", shown.y], ["r", paints ? Math.max(radius, 1) : 3]]) circle.setAttribute(name, value);
    }
    drawStrokes(painter, view);
  }
}

function drawStrokes(painter, view) {
  const { width, height } = painter.data, { canvas } = view;
  const strokes = [...painter.waiting.map(({ stroke }) => stroke), painter.stroke].filter((stroke) => stroke && stroke.panel === view.key);
  if (!strokes.length && !view.drawn) return;
  view.drawn = strokes.length > 0;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d"), pixels = context.createImageData(width, height);
  for (const stroke of strokes) {
    const level = stroke.mode === "add" ? 255 : 0;
    for (let i = 0; i < stroke.covered.length; i++) {
      if (!stroke.covered[i]) continue;
      pixels.data.fill(level, 4 * i, 4 * i + 3);
      pixels.data[4 * i + 3] = 235;
    }
  }
  context.putImageData(pixels, 0, 0);
}

// ---- data -----------------------------------------------------------------------------------------------------------

function describe(painter, data) {
  const { words } = data, name = (button, text, title) => { button.lastChild.textContent = text; button.title = title ?? text; button.setAttribute("aria-label", text); };
  name(painter.add, words.add, words.addTip);
  name(painter.erase, words.erase, words.eraseTip);
  name(painter.undo, words.undoTool);
  name(painter.clear, words.clearTool);
  painter.undo.disabled = painter.clear.disabled = !data.panels.some((panel) => panel.paint && panel.strokes);
  painter.sizeLabel.querySelector(".name").textContent = words.size;
  painter.tools.setAttribute("aria-label", words.tools);
  painter.hint.textContent = words.hint ?? "";
  const aspect = data.width / data.height;
  for (const panel of data.panels) {
    const view = painter.views.get(panel.key);
    view.title.textContent = panel.title;
    const swatch = (color) => { const node = element("i", { class: "swatch" }); node.style.background = rgb(color); return node; };
    view.note.replaceChildren(...(panel.legend ?? []).map(({ text, color }) => element("span", { class: "entry" }, swatch(color), text)), panel.note ?? "");
    view.note.title = view.note.textContent;
    view.image.alt = panel.alt ?? panel.title;
    view.frame.style.aspectRatio = String(aspect);
    if (panel.paint) view.frame.setAttribute("aria-label", `${panel.title}. ${words.keys}`);
  }
}

async function showImages(painter, data) {
  // The new pictures are there before the strokes that they contain are taken off.
  await Promise.all(data.panels.map(async (panel) => {
    const url = absolute(panel.image), view = painter.views.get(panel.key);
    if (view.image.src === url) return;
    await loadImage(panel.image);
    if (painter.data === data) view.image.src = url;
  }));
}

async function update(painter, data) {
  if (painter.data && painter.data.scene !== data.scene) { painter.waiting = []; painter.stroke = null; }
  painter.data = data;
  painter.panels.style.setProperty("--count", String(data.columns ?? data.panels.length));
  buildPanels(painter);
  describe(painter, data);
  draw(painter);
  await showImages(painter, data);
  if (painter.data !== data) return; // a newer call draws
  if (data.ack && data.ack.client === painter.client) painter.waiting = painter.waiting.filter(({ message }) => message.n > data.ack.n);
  draw(painter);
  painter.root.dataset.ready = String(data.ack?.n ?? 0);
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const painter = stateOf(parentElement, () => makePainter(parentElement));
  painter.report = (message) => setTriggerValue("ops", message);
  update(painter, data).catch(() => { painter.hint.textContent = data.words.failed ?? ""; });
}
