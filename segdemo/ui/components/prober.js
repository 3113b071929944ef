// The prober: what one pixel is taken for, what part of the picture a stage sees of it, and its value in every stage.
// Following the pointer asks nothing of the server; only a pin is told to it.

const SHOWN = 4; // classes
const TELL_MS = 220; // after the last arrow key
const ANSWER_MS = 2500; // how long a pin is shown before the server has confirmed it
const PLOT = { height: 118, top: 20, bottom: 6 }; // pixels, without the names under it

function makeProber(parent) {
  const root = parent.querySelector(".root");
  const image = element("img", { alt: "", draggable: "false", class: "photo" });
  const overlay = element("img", { alt: "", draggable: "false", class: "overlay hidden" });
  const veil = vector("path", { class: "veil", "fill-rule": "evenodd" });
  const under = vector("rect", { class: "field under" }), field = vector("rect", { class: "field" });
  const cross = vector("path", { class: "cross" }), halo = vector("path", { class: "cross under" });
  const lines = vector("svg", { class: "lines", "aria-hidden": "true", preserveAspectRatio: "none" }, veil, under, field, halo, cross);
  const frame = element("div", { class: "frame", tabindex: "0", role: "application" }, image, overlay, lines);
  const place = element("b", { class: "place" }), state = element("span", { class: "state" });
  const unpin = element("button", { type: "button", class: "unpin hidden" }, vector("svg", { viewBox: "0 0 24 24", width: 16, height: 16 }, vector("path", { d: "M6 6l12 12M18 6L6 18" })));
  const bars = element("div", { class: "bars" }), sees = element("p", { class: "sees" });
  const value = element("p", { class: "value" }), plot = element("div", { class: "plot", role: "group" });
  const classesTitle = element("h4"), fieldTitle = element("h4"), plotTitle = element("h4"), scale = element("p", { class: "scale" });
  const classes = element("section", {}, classesTitle, bars);
  const panel = element("div", { class: "panel" },
    element("div", { class: "head" }, place, state, unpin), classes, element("section", {}, fieldTitle, sees), element("section", {}, plotTitle, value, plot, scale));
  const said = element("div", { class: "said", role: "status" });
  const hint = element("p", { class: "hint" });
  root.replaceChildren(element("div", { class: "prober" }, element("div", {}, element("div", { class: "stage" }, frame), hint), panel), said);
  const prober = {
    root, frame, image, overlay, lines, veil, under, field, cross, halo, place, state, unpin, bars, sees, value, plot, classes, classesTitle, fieldTitle, plotTitle, scale, hint, said,
    data: null, at: null, pin: null, stage: null, peeked: null, probs: null, summaries: new Map(), columns: new Map(), waiting: false,
  };
  listenTo(prober);
  return prober;
}

function listenTo(prober) {
  const { frame, unpin, plot } = prober;
  frame.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse" || !prober.data) return;
    prober.at = pixelAt(prober, event);
    draw(prober);
  });
  frame.addEventListener("pointerleave", () => { if (prober.pin) { prober.at = null; draw(prober); } });
  frame.addEventListener("click", (event) => pin(prober, pixelAt(prober, event), 0));
  frame.addEventListener("keydown", (event) => onKey(prober, event));
  unpin.addEventListener("click", () => { pin(prober, null, 0); frame.focus({ preventScroll: true }); });
  plot.addEventListener("keydown", (event) => onPlotKey(prober, event));
  new ResizeObserver(() => { if (prober.data) drawPlot(prober); }).observe(plot);
}

function pixelAt(prober, event) {
  const box = prober.frame.getBoundingClientRect(), { width, height } = prober.data;
  const clamp = (value, most) => Math.min(most - 1, Math.max(0, Math.floor(value)));
  return { x: clamp(((event.clientX - box.left) / box.width) * width, width), y: clamp(((event.clientY - box.top) / box.height) * height, height) };
}

function onKey(prober, event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const here = shownPixel(prober);
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    return pin(prober, here, 0);
  }
  if (event.key === "Escape") {
    if (prober.pin) event.preventDefault();
    return pin(prober, null, 0);
  }
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!way) return;
  event.preventDefault();
  const step = event.shiftKey ? 10 : 1, { width, height } = prober.data, from = prober.pin ?? here;
  pin(prober, { x: Math.min(width - 1, Math.max(0, from.x + step * way[0])), y: Math.min(height - 1, Math.max(0, from.y + step * way[1])) }, TELL_MS);
}

function pin(prober, pixel, delay) {
  if (!pixel && !prober.pin) return;
  prober.at = pixel ? null : prober.at ?? prober.pin;
  prober.pin = pixel;
  prober.waiting = true;
  draw(prober);
  clearTimeout(prober.timer);
  prober.timer = setTimeout(() => {
    prober.send("pinned", pixel ?? { off: true });
    prober.timer = setTimeout(() => { prober.waiting = false; adopt(prober); }, ANSWER_MS);
    tell(prober);
  }, delay);
}

function adopt(prober) {
  // What the server says is pinned, unless a newer pin is still on its way to it.
  const { pinned } = prober.data;
  const same = (a, b) => (a && b ? a.x === b.x && a.y === b.y : !a === !b);
  if (same(prober.pin, pinned)) prober.waiting = false;
  if (prober.waiting || same(prober.pin, pinned)) return;
  prober.pin = pinned ?? null;
  draw(prober);
}

function shownPixel(prober) {
  const { width, height } = prober.data;
  return prober.at ?? prober.pin ?? { x: Math.floor(width / 2), y: Math.floor(height / 2) };
}

// ---- what a pixel sees ----------------------------------------------------------------------------------------------

function nearest(centres, wanted) {
  let best = 0;
  for (let i = 1; i < centres.length; i++) if (Math.abs(centres[i] - wanted) < Math.abs(centres[best] - wanted)) best = i;
  return best;
}

function positionIn(stage, pixel) {
  return { row: nearest(stage.centresY, pixel.y + 0.5), column: nearest(stage.centresX, pixel.x + 0.5) };
}

function fieldOf(stage, pixel) {
  const { row, column } = positionIn(stage, pixel), rows = stage.rows[row], columns = stage.columns[column];
  if (!rows || !columns || rows[0] > rows[1] || columns[0] > columns[1]) return null; // it sees padding alone
  return { x: columns[0], y: rows[0], width: columns[1] - columns[0] + 1, height: rows[1] - rows[0] + 1 };
}

function valueOf(prober, stage, pixel) {
  // {value, share}: the mean of the stage's channels there, and where that lies between its lowest and its highest.
  const pixels = prober.summaries.get(stage.key);
  if (!pixels || pixels.url !== stage.summary.image) return null;
  const { row, column } = positionIn(stage, pixel), { low, high } = stage.summary;
  const y = Math.min(pixels.height - 1, Math.floor((row / stage.centresY.length) * pixels.height)), x = Math.min(pixels.width - 1, Math.floor((column / stage.centresX.length) * pixels.width));
  const share = pixels.data[(y * pixels.width + x) * 4] / 255;
  return { share, value: low + share * (high - low) };
}

function short(value) {
  const size = Math.abs(value);
  const text = size === 0 ? "0" : size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : size >= 0.095 ? value.toFixed(2) : value.toPrecision(1);
  return text.replace("-", "−");
}

function stageNow(prober) {
  const key = prober.peeked ?? prober.stage, { stages } = prober.data;
  return stages.find((stage) => stage.key === key) ?? stages[stages.length - 1];
}

// ---- drawing ----------------------------------------------------------------------------------------------------------

function draw(prober) {
  const { data } = prober, pixel = shownPixel(prober), words = data.words;
  prober.place.textContent = filled(words.place.includes("{x}") ? words.place : `${words.place} {x}, {y}`, pixel);
  const pinned = Boolean(prober.pin) && !prober.at;
  prober.state.textContent = (pinned ? words.pinned : prober.pin ? words.elsewhere : words.free) ?? "";
  prober.state.classList.toggle("on", pinned);
  prober.unpin.classList.toggle("hidden", !prober.pin);
  drawLines(prober, pixel);
  drawBars(prober, pixel);
  drawSees(prober, pixel);
  drawPlot(prober);
}

function drawLines(prober, pixel) {
  const { data, lines, veil, under, field, cross, halo } = prober, { width, height } = data;
  const stage = stageNow(prober), rect = stage && fieldOf(stage, pixel);
  lines.setAttribute("viewBox", `0 0 ${width} ${height}`);
  for (const node of [veil, under, field]) node.classList.toggle("hidden", !rect);
  if (rect) {
    const left = Math.max(0, rect.x), top = Math.max(0, rect.y), right = Math.min(width, rect.x + rect.width), bottom = Math.min(height, rect.y + rect.height);
    veil.setAttribute("d", `M0 0H${width}V${height}H0zM${left} ${top}H${right}V${bottom}H${left}z`);
    for (const node of [under, field]) for (const name of ["x", "y", "width", "height"]) node.setAttribute(name, rect[name]);
  }
  const at = prober.pin, box = prober.frame.getBoundingClientRect(), arm = 11 * (width / Math.max(1, box.width)), hole = 0.32 * arm;
  for (const node of [cross, halo]) node.classList.toggle("hidden", !at);
  if (!at) return;
  const x = at.x + 0.5, y = at.y + 0.5;
  const d = `M${x - arm} ${y}H${x - hole}M${x + hole} ${y}H${x + arm}M${x} ${y - arm}V${y - hole}M${x} ${y + hole}V${y + arm}`;
  for (const node of [cross, halo]) node.setAttribute("d", d);
}

function drawBars(prober, pixel) {
  const { data, bars, probs } = prober;
  prober.classes.classList.toggle("hidden", !data.probs);
  if (!probs) return;
  const rows = likeliest(probs, data.binary, (pixel.x + 0.5) / data.width, (pixel.y + 0.5) / data.height).sort((a, b) => b.probability - a.probability).slice(0, SHOWN);
  while (bars.children.length < rows.length) bars.append(element("div", { class: "row" }, element("span", { class: "swatch" }), element("span", { class: "name" }), element("span", { class: "bar" }, element("i")), element("b")));
  while (bars.children.length > rows.length) bars.lastChild.remove();
  rows.forEach(({ label, probability }, k) => {
    const info = data.classes[label] ?? { name: "?", color: [128, 128, 128] };
    const [swatch, name, bar, number] = bars.children[k].children, colour = label > 0 ? rgb(info.color) : "";
    swatch.style.background = colour;
    name.textContent = info.name;
    name.title = info.name;
    bar.firstChild.style.width = `${100 * probability}%`;
    bar.firstChild.style.background = colour;
    number.textContent = `${(100 * probability).toFixed(probability > 0.995 || probability < 0.005 ? 0 : 1)} %`;
  });
  const most = data.binary ? 2 : 3; // as many rows as there may be, so that nothing below them jumps
  bars.style.minHeight = `${23 * most}px`;
}

function drawSees(prober, pixel) {
  const { data, sees, fieldTitle } = prober, stage = stageNow(prober), rect = stage && fieldOf(stage, pixel);
  if (!stage) return;
  fieldTitle.textContent = filled(data.words.field, { stage: stage.title });
  if (!rect) { sees.textContent = data.words.padding; return; }
  const whole = rect.x <= 0 && rect.y <= 0 && rect.x + rect.width >= data.width && rect.y + rect.height >= data.height;
  const beyond = rect.x < 0 || rect.y < 0 || rect.x + rect.width > data.width || rect.y + rect.height > data.height;
  const text = whole ? data.words.whole : filled(data.words.sees, { width: Math.round(rect.width), height: Math.round(rect.height) });
  sees.textContent = !whole && beyond ? `${text} ${data.words.beyond}` : text;
}

function buildPlot(prober) {
  // One button a stage over one drawing; rebuilt only if the stages changed.
  const { data, plot } = prober;
  const text = JSON.stringify(data.stages.map((stage) => [stage.key, stage.title, stage.short]));
  if (text === prober.stagesText) return;
  prober.stagesText = text;
  prober.columns.clear();
  plot.classList.toggle("many", data.stages.length > 13);
  prober.drawing = vector("svg", { class: "curve", "aria-hidden": "true" });
  plot.replaceChildren(prober.drawing, ...data.stages.map((stage) => {
    const button = element("button", { type: "button", tabindex: "-1" }, element("span", { text: stage.short ?? initials(stage.title) }));
    button.dataset.key = stage.key;
    const peek = (key) => () => { prober.peeked = key; draw(prober); };
    button.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") peek(stage.key)(); });
    button.addEventListener("pointerleave", peek(null));
    button.addEventListener("click", () => chooseStage(prober, stage.key));
    prober.columns.set(stage.key, button);
    return button;
  }));
}

function initials(title) {
  // encoder1 → E1, head → H; what has no such form stays as it is.
  const parts = /^([a-z])[a-z]*(\d*)$/i.exec(title);
  return parts ? parts[1].toUpperCase() + parts[2] : title;
}

function chooseStage(prober, key) {
  prober.stage = key;
  prober.peeked = null;
  draw(prober);
  prober.send("stage", key);
}

function onPlotKey(prober, event) {
  const keys = prober.data.stages.map((stage) => stage.key), here = keys.indexOf(event.target.dataset?.key);
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const next = event.key === "Home" ? 0 : event.key === "End" ? keys.length - 1 : step ? here + step : null;
  if (here < 0 || next === null || next < 0 || next >= keys.length) return;
  event.preventDefault();
  chooseStage(prober, keys[next]);
  prober.columns.get(keys[next]).focus({ preventScroll: true });
}

function drawPlot(prober) {
  const { data, plot, drawing, columns } = prober, width = plot.clientWidth;
  if (!width || !drawing) return;
  const pixel = shownPixel(prober), now = stageNow(prober), step = width / data.stages.length;
  const inner = PLOT.height - PLOT.top - PLOT.bottom, y = (share) => PLOT.top + inner * (1 - share);
  const values = data.stages.map((stage) => valueOf(prober, stage, pixel));
  const points = values.map((found, i) => (found ? [step * (i + 0.5), y(found.share)] : null));
  drawing.setAttribute("width", width);
  drawing.setAttribute("height", PLOT.height);
  const tracks = points.map((_point, i) => vector("path", { class: `track${data.stages[i] === now ? " now" : ""}`, d: `M${step * (i + 0.5)} ${y(1)}V${y(0)}` }));
  const line = vector("path", { class: "through", d: points.filter(Boolean).map((point, i) => `${i ? "L" : "M"}${point[0].toFixed(1)} ${point[1].toFixed(1)}`).join("") });
  const dots = points.flatMap((point, i) => (point ? [vector("circle", { class: `dot${data.stages[i] === now ? " now" : ""}`, cx: point[0], cy: point[1], r: data.stages[i] === now ? 5.5 : 3.2 })] : []));
  drawing.replaceChildren(...tracks, line, ...dots);
  data.stages.forEach((stage, i) => {
    const button = columns.get(stage.key), found = values[i];
    button.classList.toggle("now", stage === now);
    button.setAttribute("aria-pressed", String(stage.key === prober.stage));
    button.tabIndex = stage.key === prober.stage ? 0 : -1;
    const label = found ? filled(data.words.value ?? "{stage}: {value} ({low} … {high})", { stage: stage.title, value: short(found.value), low: short(stage.summary.low), high: short(stage.summary.high) }) : stage.title;
    if (button.title !== label) button.title = label;
    button.setAttribute("aria-label", label);
    if (stage === now) prober.value.textContent = label;
  });
}

function tell(prober) {
  // For those who do not see the panel: what changed, once the pin rests.
  const rows = [...prober.bars.children].slice(0, 2).map((row) => row.textContent.trim());
  prober.said.textContent = [prober.place.textContent, ...rows, prober.sees.textContent, prober.value.textContent].join(". ");
}

// ---- data --------------------------------------------------------------------------------------------------------------

function describe(prober, data) {
  const { frame, image, overlay, words } = { ...prober, words: data.words };
  image.alt = data.label;
  frame.setAttribute("aria-label", [data.label, words.hint].filter(Boolean).join(". "));
  prober.hint.textContent = words.hint ?? "";
  prober.unpin.title = words.unpin ?? "";
  prober.unpin.setAttribute("aria-label", words.unpin ?? "Escape");
  prober.classesTitle.textContent = words.probabilities;
  prober.plotTitle.textContent = words.values;
  prober.plot.setAttribute("aria-label", words.values);
  prober.scale.textContent = words.scale ?? "";
  const aspect = data.width / data.height;
  frame.style.aspectRatio = String(aspect);
  frame.style.width = `min(100%, calc(max(300px, 58vh) * ${aspect}))`;
  prober.root.classList.toggle("pixelated", Math.max(data.width, data.height) < 200);
  show(image, data.image);
  overlay.classList.toggle("hidden", !data.overlay);
  if (!data.overlay) return;
  overlay.alt = data.overlay.alt ?? "";
  overlay.style.opacity = String(data.overlay.opacity ?? 0.6);
  show(overlay, data.overlay.image);
}

function show(image, url) {
  if (image.src !== absolute(url)) image.src = absolute(url);
}

async function fetchPixels(prober, data) {
  const wanted = data.stages.filter((stage) => prober.summaries.get(stage.key)?.url !== stage.summary.image);
  if (prober.probs?.url !== data.probs) prober.probs = null;
  const jobs = wanted.map(async (stage) => {
    const pixels = await loadPixels(stage.summary.image);
    if (prober.data === data) prober.summaries.set(stage.key, { url: stage.summary.image, width: pixels.width, height: pixels.height, data: pixels.data });
  });
  if (data.probs && !prober.probs) {
    jobs.push(loadPixels(data.probs).then((pixels) => {
      if (prober.data.probs === data.probs) prober.probs = { url: data.probs, width: pixels.width, height: pixels.height, data: pixels.data };
    }));
  }
  await Promise.all(jobs);
}

async function update(prober, data) {
  const before = prober.data;
  prober.data = data;
  if (!before || before.image !== data.image || before.width !== data.width || before.height !== data.height) prober.at = null;
  if (!before || before.chosenStage !== data.chosenStage) prober.stage = data.chosenStage;
  if (!before) prober.pin = data.pinned ?? null;
  describe(prober, data);
  adopt(prober);
  buildPlot(prober);
  draw(prober);
  await fetchPixels(prober, data);
  if (prober.data !== data) return; // a newer call draws
  draw(prober);
  prober.root.dataset.ready = data.chosenStage ?? "";
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const prober = stateOf(parentElement, () => makeProber(parentElement));
  prober.send = (name, value) => setTriggerValue(name, value);
  update(prober, data).catch(() => { prober.sees.textContent = data.words.failed ?? ""; });
}
