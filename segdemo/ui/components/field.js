// The receptive field of a stack: the input with a square for every layer, how much each pixel counts, and what it cost so far.
// Layers are looked at by the slider, by play, by hovering or walking the rows; nothing is asked of the server for that.

const REST_MS = 1100, GROW_MS = 320, SETTLED_MS = 500, MANY = 5; // beside a longer table there is room for the key under the picture

function makeField(root) {
  const canvas = element("canvas", { role: "img" }), line = element("div", { class: "line" }), said = element("div", { class: "said", role: "status" });
  const slider = element("input", { type: "range", min: "0", step: "1" }), play = element("button", { type: "button", class: "control" });
  const table = element("div", { class: "table" }), key = element("div", { class: "key" });
  const acts = element("div", { class: "acts", role: "group" }), bar = element("div", { class: "bar" }, play, slider);
  const sheet = element("div", { class: "sheet" }, canvas), left = element("div", { class: "input" }, sheet, bar), right = element("div", { class: "told" }, line, said, table, acts);
  root.replaceChildren(element("div", { class: "both" }, left, right));
  const field = { root, left, right, canvas, line, said, slider, play, table, key, acts, data: null, at: null, known: null, sent: null, trigger: null, timer: 0, hover: null, pointer: { x: -1, y: -1 }, drawn: 1, from: 1, since: 0, frame: 0, playing: false, nextAt: 0 };
  slider.addEventListener("input", () => { halt(field); choose(field, Number(slider.value)); });
  play.addEventListener("click", () => { if (field.playing) { halt(field); send(field); } else run(field); });
  table.addEventListener("pointermove", (event) => came(field, event));
  field.observer = new ResizeObserver(() => field.data && paint(field));
  field.observer.observe(canvas.parentElement);
  root.addEventListener("transitionend", (event) => { if (event.propertyName === "color" && event.target === root) paint(field); });
  return field;
}

function shownOf(field) {
  return field.hover ?? field.at;
}

function run(field) {
  field.playing = true;
  face(field);
  look(field, field.at >= field.data.layers.length - 1 ? 0 : field.at + 1);
  field.nextAt = performance.now() + REST_MS;
  tick(field);
}

function halt(field) {
  field.playing = false;
  face(field);
}

function face(field) {
  const name = field.playing ? "pause" : "play";
  field.play.setAttribute("aria-label", field.data.words[name]);
  field.play.title = field.data.words[name];
  field.play.replaceChildren(playIcon(name));
}

function choose(field, at) {
  // By hand, not by play: it is said aloud, and once it has settled the address holds it.
  look(field, at);
  say(field);
  send(field);
}

function say(field) {
  const text = field.line.textContent;
  if (field.said.textContent !== text) field.said.textContent = text;
}

function send(field) {
  clearTimeout(field.timer);
  field.timer = setTimeout(() => {
    if (!field.root.isConnected || field.playing || field.at === (field.sent ?? field.known)) return;
    field.sent = field.at;
    field.trigger("looked", field.at);
  }, SETTLED_MS);
}

function look(field, at) {
  field.at = Math.max(0, Math.min(field.data.layers.length - 1, at));
  field.hover = null;
  turn(field);
}

function turn(field) {
  // Another layer is looked at: the square glides to its size.
  const rows = [...field.table.querySelectorAll("tbody tr")], shown = shownOf(field);
  rows.forEach((row, n) => { row.setAttribute("aria-selected", String(n === shown)); row.tabIndex = n === field.at ? 0 : -1; row.classList.toggle("above", n > shown); });
  [["up", field.at > 0], ["down", field.at < rows.length - 1], ["remove", rows.length > 0]].forEach(([name, can]) => { const button = field.acts.querySelector(`.${name}`); if (button) button.disabled = !can; });
  if (field.hover === null && rows[shown]) showRow(field.table, rows[shown]);
  field.slider.value = String(shown);
  field.slider.setAttribute("aria-valuetext", field.data.layers[shown]?.name ?? "");
  tell(field);
  field.from = field.drawn;
  field.since = performance.now();
  tick(field);
}

function tell(field) {
  const layer = field.data.layers[shownOf(field)];
  field.line.replaceChildren(...(layer ? [element("b", { text: layer.name }), document.createTextNode(` ${layer.says}`), ...layer.how.map((text) => element("small", { text }))] : []));
  field.canvas.setAttribute("aria-label", layer ? `${field.data.label}: ${layer.name} ${layer.says}` : field.data.label);
}

function tick(field) {
  if (field.frame) return;
  field.frame = requestAnimationFrame((now) => {
    field.frame = 0;
    if (!field.root.isConnected) return;
    if (field.playing && now >= field.nextAt) {
      if (field.at >= field.data.layers.length - 1) { halt(field); send(field); }
      else { field.nextAt = now + REST_MS; look(field, field.at + 1); }
    }
    const gliding = paint(field, now);
    if (field.playing || gliding) tick(field);
  });
}

// ---- the input -------------------------------------------------------------------------------------------------------------------

function paint(field, now = Infinity) {
  const { canvas, data } = field, layer = data.layers[shownOf(field)];
  const side = Math.max(80, Math.floor(Math.min(canvas.parentElement.clientWidth, 460))), dense = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(side * dense)) { canvas.width = canvas.height = Math.round(side * dense); canvas.style.maxWidth = `${side}px`; canvas.style.aspectRatio = "1"; }
  const style = getComputedStyle(field.root), ink = style.color, context = canvas.getContext("2d");
  const wanted = layer ? layer.field ?? data.span : 1, done = calm() ? 1 : Math.min(1, (now - field.since) / GROW_MS);
  field.drawn = field.from + (wanted - field.from) * (1 - (1 - done) ** 3);
  const scale = (side * dense) / data.span, middle = (side * dense) / 2;
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = style.getPropertyValue("--st-secondary-background-color") || "#8882";
  context.fillRect(0, 0, canvas.width, canvas.height);
  if (data.blank) return ask(context, middle, dense, ink, style), false; // the same sheet for every stack
  if (data.picture) square(context, middle, data.picture * scale, ink, 1, 0.55);
  if (layer?.heat && !layer.covered) heat(context, data, layer, middle, scale, field.drawn);
  if (scale >= 6 * dense) cells(context, data.span, scale, wanted, ink);
  const bright = layer?.heat ? "#ffffff" : ink;
  if (layer?.covered) return ask(context, middle, dense, ink, style), false;
  data.layers.slice(0, shownOf(field)).forEach((below) => square(context, middle, (below.field ?? data.span) * scale, bright, dense, 0.5));
  if (layer?.held && layer.held < layer.field) {
    square(context, middle, layer.held * scale, "#000000", 3.4 * dense, 0.6);
    square(context, middle, layer.held * scale, bright, 1.8 * dense, 1, [6 * dense, 4 * dense]);
  }
  if (layer) square(context, middle, Math.min(field.drawn, data.span) * scale, data.mark, 3 * dense, 1);
  return done < 1;
}

function ask(context, middle, dense, ink, style) {
  context.fillStyle = ink;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = `600 ${64 * dense}px ${style.fontFamily}`;
  context.fillText("?", middle, middle);
}

function square(context, middle, side, colour, width, opacity, dash = []) {
  context.save();
  context.globalAlpha = opacity;
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dash);
  const inner = Math.max(0, side - width);
  context.strokeRect(middle - inner / 2, middle - inner / 2, inner, inner);
  context.restore();
}

function cells(context, span, scale, wanted, ink) {
  context.save();
  context.globalAlpha = 0.16;
  context.strokeStyle = ink;
  context.lineWidth = 1;
  const odd = Math.round(wanted) % 2 === span % 2 ? 0 : 0.5;
  context.beginPath();
  for (let n = odd; n <= span; n++) {
    const at = Math.round(n * scale) + 0.5;
    context.moveTo(at, 0); context.lineTo(at, span * scale); context.moveTo(0, at); context.lineTo(span * scale, at);
  }
  context.stroke();
  context.restore();
}

function heat(context, data, layer, middle, scale, drawn) {
  // The picture of the layer's influence, made once; while the square grows it is shown as far as that reaches.
  const map = (layer.drawing ??= picture(data.scale, layer.heat));
  const side = layer.field * scale, shown = Math.min(drawn, layer.field) * scale;
  context.save();
  context.imageSmoothingEnabled = false;
  context.beginPath();
  context.rect(middle - shown / 2, middle - shown / 2, shown, shown);
  context.clip();
  context.drawImage(map, middle - side / 2, middle - side / 2, side, side);
  context.restore();
}

function picture(scale, heat) {
  // Values of every cell, or those along one axis, of which every cell is the product.
  const given = Uint8Array.from(atob(heat.values), (letter) => letter.charCodeAt(0)), last = scale.length - 1, { side } = heat;
  const bytes = given.length === side * side ? given : Float32Array.from({ length: side * side }, (_, n) => (given[n % side] * given[Math.floor(n / side)]) / 255);
  const canvas = new OffscreenCanvas(heat.side, heat.side), context = canvas.getContext("2d"), pixels = context.createImageData(heat.side, heat.side);
  bytes.forEach((value, n) => pixels.data.set([...scale[Math.round((value / 255) * last)], 255], 4 * n));
  context.putImageData(pixels, 0, 0);
  return canvas;
}

// ---- the table -------------------------------------------------------------------------------------------------------------------

function came(field, event) {
  // A mouse that moved here; a row that was drawn anew under a mouse at rest gets the same event.
  const { x, y } = field.pointer, moved = Math.abs(event.screenX - x) + Math.abs(event.screenY - y) >= 1;
  field.pointer = { x: event.screenX, y: event.screenY };
  return moved && event.pointerType === "mouse";
}

function rowOf(field, layer, n, act) {
  const cells = [String(n + 1), layer.name, layer.covered ? "?" : layer.sees, layer.jump, layer.params, layer.macs].map((text) => element("td", { text }));
  const row = element("tr", { tabindex: "-1", "aria-selected": "false", title: layer.how.join(" ") }, ...cells);
  row.addEventListener("pointerenter", (event) => { if (came(field, event) && !field.playing) { field.hover = n; turn(field); } });
  row.addEventListener("click", () => { halt(field); choose(field, n); });
  row.addEventListener("keydown", (event) => onKey(field, event, n, act));
  return row;
}

function onKey(field, event, n, act) {
  if (event.target !== event.currentTarget) return;
  const to = { ArrowDown: n + 1, ArrowUp: n - 1, Home: 0, End: field.data.layers.length - 1 }[event.key];
  if (to !== undefined) { event.preventDefault(); halt(field); choose(field, to); field.table.querySelectorAll("tbody tr")[field.at]?.focus({ preventScroll: true }); }
  else if (event.key === " ") { event.preventDefault(); field.play.click(); }
  else if (event.key === "Delete" && field.data.editable) act({ act: "remove", at: n });
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const root = parentElement.querySelector(".root");
  const field = stateOf(root, () => makeField(root)), { words } = data;
  const another = field.data?.of !== data.of, first = !field.data;
  const focused = field.table.contains(parentElement.getRootNode().activeElement);
  field.data = data;
  root.style.setProperty("--mark", data.mark);
  root.style.setProperty("--ramp", `linear-gradient(to right, ${data.scale.filter((_, n) => n % 8 === 0).map(rgb).join(", ")})`);
  const last = data.layers.length - 1;
  if (another || (data.at !== field.known && data.at !== field.sent)) { clearTimeout(field.timer); field.at = data.at; } // from Undo, a link, a change
  if (another || data.at === field.sent) field.sent = null;
  field.known = data.at;
  field.at = Math.min(field.at, last);
  field.trigger = setTriggerValue;
  field.slider.max = String(Math.max(0, last));
  field.slider.setAttribute("aria-label", words.layer);
  const act = (change) => setTriggerValue("changed", change);
  const head = element("thead", {}, element("tr", {}, ...["#", words.layer, words.field, words.jump, words.params, words.macs].map((text) => element("th", { text, scope: "col" }))));
  const body = element("tbody", {}, ...data.layers.map((layer, n) => rowOf(field, layer, n, act)));
  const foot = element("tfoot", {}, element("tr", {}, ...["", words.total, data.covered ? "?" : data.total.sees, "", data.total.params, data.total.macs].map((text) => element("td", { text }))));
  body.addEventListener("pointerleave", () => { if (field.hover !== null) { field.hover = null; turn(field); } });
  field.table.replaceChildren(element("table", { role: "grid", "aria-label": data.label }, head, body, foot));
  field.acts.setAttribute("aria-label", words.acts);
  field.acts.replaceChildren(...(data.editable ? ["up", "down", "remove"] : []).map((name) => {
    const button = element("button", { type: "button", class: name, text: words[name] });
    button.addEventListener("click", () => act({ act: name, at: field.at }));
    return button;
  }));
  const marks = [["", words.fieldKey], ...(data.heat ? [["held", words.heldKey], ["ramp", words.rampKey]] : [])];
  field.key.replaceChildren(...(data.blank ? [] : marks).map(([name, text]) => element("span", {}, element("i", { class: name }), document.createTextNode(text))));
  (data.layers.length > MANY ? field.left : field.right).append(field.key);
  if (!data.layers.length) { halt(field); field.at = 0; }
  field.play.disabled = field.slider.disabled = !data.layers.length;
  face(field);
  turn(field);
  if (!first && field.hover === null) say(field);
  if (focused) field.table.querySelectorAll("tbody tr")[field.at]?.focus({ preventScroll: true });
  root.dataset.ready = "";
  return () => { clearTimeout(field.timer); field.observer.disconnect(); states.delete(root); };
}
