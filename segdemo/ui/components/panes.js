// Panes that look at the same place: one a network, and the picture and the truth if wanted. Zoom, place, probe, what is drawn
// over the picture and how two are compared are all the browser's: nothing here asks the server for anything.

const CAPTION = 66, GAP = 12, SLOPPY = 5; // pixels; a finger that moves less than SLOPPY has tapped
const remembered = {}; // what was set in one view of the page is found again in the next

function makePanes(parent) {
  const root = parent.querySelector(".root");
  const panes = {
    root, data: null, picture: null, maps: new Map(), probs: new Map(), painted: new Map(), figures: [],
    view: wholePicture(), probe: null, layout: "grid", mode: "overlay", opacity: 0.55, reference: null, first: null, second: null,
    speed: 1.5, split: 50, playing: false, onSecond: false, shown: new Set(), fingers: new Map(), ...remembered.settings,
  };
  panes.changed = (name) => changed(panes, name);
  panes.look = (view) => { panes.view = heldInside(view); keep(panes); redraw(panes); };
  panes.zoomBy = (factor) => panes.look(zoomedAt(panes.view, factor, ...(panes.probe ? [panes.probe.fx, panes.probe.fy] : [panes.view.x, panes.view.y])));
  panes.setPlaying = (playing) => setPlaying(panes, playing);
  panes.bar = makeToolbar(panes);
  panes.grid = element("div", { class: "grid", tabindex: "0", role: "group", "aria-keyshortcuts": "+ - 0 Space Shift+ArrowLeft Shift+ArrowRight" });
  panes.status = element("p", { class: "status" });
  panes.said = element("div", { class: "said", role: "status" });
  panes.legend = element("div", { class: "legend" });
  root.replaceChildren(panes.bar.root, panes.bar.under, panes.grid, panes.legend, panes.status, panes.said);
  panes.grid.addEventListener("keydown", (event) => pressed(panes, event));
  new ResizeObserver(() => { if (panes.data) arrange(panes); }).observe(root);
  return panes;
}

function keep(panes) {
  const { view, layout, mode, opacity, reference, first, second, speed, split, shown } = panes;
  remembered.settings = { view, layout, mode, opacity, reference, first, second, speed, split, shown };
  remembered.picture = panes.data?.pictureKey;
}

function changed(panes, name) {
  if (name === "layout") setPlaying(panes, panes.layout === "blink" && !calm(), false);
  if (name === "speed" && panes.playing) setPlaying(panes, true, false);
  keep(panes);
  if (["layout", "shown", "first", "second"].includes(name)) build(panes);
  else redraw(panes);
}

function setPlaying(panes, playing, draw = true) {
  clearInterval(panes.timer);
  panes.playing = playing;
  if (playing && panes.layout !== "blink") { panes.layout = "blink"; keep(panes); build(panes); }
  if (playing) panes.timer = setInterval(() => { if (panes.root.isConnected) flip(panes); else clearInterval(panes.timer); }, 1000 / panes.speed);
  if (draw) redraw(panes);
}

function flip(panes) {
  panes.onSecond = !panes.onSecond;
  redraw(panes);
}

const paneOf = (panes, key) => panes.data.panes.find((pane) => pane.key === key);

function shownPanes(panes) {
  if (panes.layout !== "grid") return [paneOf(panes, panes.first)];
  return panes.data.panes.filter((pane) => !pane.optional || panes.shown.has(pane.key));
}

// Figures ---------------------------------------------------------------------------------------------------------------

function build(panes) {
  // One figure a pane; in the other two arrangements a single one for both.
  panes.figures = shownPanes(panes).map((pane) => figureFor(panes, pane));
  panes.grid.replaceChildren(...panes.figures.map((figure) => figure.node));
  arrange(panes);
}

function figureFor(panes, pane) {
  const canvas = element("canvas", { role: "img" });
  const answer = element("div", { class: "answer hidden" });
  const frame = element("div", { class: "frame" }, canvas, answer);
  const chip = element("span", { class: "chip" }), title = element("b"), tag = element("span", { class: "tag hidden" });
  const note = element("span", { class: "note" });
  const node = element("figure", { class: "pane" }, frame, element("figcaption", {}, element("span", { class: "name" }, chip, title, tag), note));
  const figure = { pane, node, frame, canvas, answer, chip, title, tag, note };
  if (panes.layout === "divider") addDivider(panes, figure);
  if (panes.layout === "blink") frame.append((figure.left = element("span", { class: "side left", "aria-hidden": "true" })));
  listenTo(panes, figure);
  return figure;
}

function addDivider(panes, figure) {
  const divider = element("div", { class: "divider", role: "slider", tabindex: "0", "aria-valuemin": "0", "aria-valuemax": "100", "aria-label": panes.data.words.handle });
  const set = (percent) => { panes.split = Math.min(100, Math.max(0, percent)); keep(panes); redraw(panes); };
  let dragging = false;
  divider.addEventListener("pointerdown", (event) => { dragging = true; divider.setPointerCapture(event.pointerId); event.preventDefault(); event.stopPropagation(); divider.focus(); });
  divider.addEventListener("pointermove", (event) => {
    const box = figure.frame.getBoundingClientRect();
    if (dragging) set((100 * (event.clientX - box.left)) / box.width);
  });
  for (const name of ["pointerup", "pointercancel"]) divider.addEventListener(name, () => { dragging = false; });
  divider.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, PageDown: -20, PageUp: 20, Home: -100, End: 100 }[event.key];
    if (step === undefined || event.shiftKey) return;
    set(panes.split + step);
    event.preventDefault();
    event.stopPropagation();
  });
  figure.divider = divider;
  figure.left = element("span", { class: "side left" });
  figure.right = element("span", { class: "side right" });
  figure.frame.append(figure.left, figure.right, divider);
}

function arrange(panes) {
  const { data, figures, grid } = panes, width = panes.root.clientWidth;
  if (!width) return;
  const aspect = data.width / data.height;
  const height = Math.max(360, window.innerHeight * (panes.layout === "grid" ? 0.74 : 0.66));
  const { columns, side } = panes.layout === "grid" ? gridFor(figures.length, width, height, aspect, CAPTION, GAP)
    : { columns: 1, side: Math.floor(Math.min(width, (height - CAPTION) * aspect)) };
  grid.style.gridTemplateColumns = `repeat(${columns}, ${side}px)`;
  const scale = window.devicePixelRatio || 1;
  for (const { frame, canvas } of figures) {
    frame.style.height = `${Math.round(side / aspect)}px`;
    canvas.width = Math.round(side * scale);
    canvas.height = Math.round(Math.round(side / aspect) * scale);
  }
  redraw(panes);
}

function redraw(panes) {
  if (panes.waiting) return;
  panes.waiting = true;
  requestAnimationFrame(() => { panes.waiting = false; paintAll(panes); });
}

function paintAll(panes) {
  describeToolbar(panes);
  for (const figure of panes.figures) {
    figure.frame.style.touchAction = panes.view.zoom > 1 ? "none" : "pan-y";
    const second = paneOf(panes, panes.second);
    const pane = panes.layout === "blink" && panes.onSecond ? second : paneOf(panes, figure.pane.key);
    caption(panes, figure, pane);
    if (panes.layout === "divider") {
      drawPane(panes, pane, figure.canvas, [0, panes.split / 100]);
      drawPane(panes, second, figure.canvas, [panes.split / 100, 1]);
      placeDivider(panes, figure, pane, second);
    } else {
      drawPane(panes, pane, figure.canvas);
      if (figure.left) figure.left.textContent = pane.title;
    }
    answer(panes, figure, pane);
  }
  drawLegend(panes);
  panes.status.textContent = panes.probe ? placeWords(panes) : panes.data.words.hint;
  panes.root.dataset.zoom = panes.view.zoom.toFixed(3);
}

function placeDivider(panes, figure, first, second) {
  figure.divider.style.left = `${panes.split}%`;
  figure.divider.setAttribute("aria-valuenow", String(Math.round(panes.split)));
  figure.left.textContent = first.title;
  figure.right.textContent = second.title;
  figure.left.classList.toggle("hidden", panes.split < 15);
  figure.right.classList.toggle("hidden", panes.split > 85);
}

function caption(panes, figure, pane) {
  const { words } = panes.data, both = panes.layout === "divider";
  const other = both ? paneOf(panes, panes.second) : null;
  figure.chip.style.background = pane.color ?? "transparent";
  figure.chip.classList.toggle("hidden", !pane.color || both);
  figure.node.style.setProperty("--own", both ? "transparent" : pane.color ?? "transparent");
  figure.title.textContent = both ? `${pane.title} | ${other.title}` : pane.title;
  figure.node.classList.toggle("alone", panes.layout !== "grid");
  figure.title.title = figure.title.textContent;
  figure.note.textContent = both || pane.problem ? "" : pane.note;
  figure.note.title = pane.noteHint ?? "";
  const isReference = panes.mode === "difference" && pane.key === panes.reference && !both;
  figure.tag.textContent = isReference ? words.isReference : "";
  figure.tag.classList.toggle("hidden", !isReference);
  figure.node.classList.toggle("broken", Boolean(pane.problem));
  figure.frame.dataset.problem = pane.problem ?? "";
  figure.canvas.setAttribute("aria-label", pane.problem ? `${pane.title}: ${pane.problem}` : pane.alt);
  figure.node.dataset.key = pane.key;
}

// The probe -------------------------------------------------------------------------------------------------------------

function readingOf(panes, pane) {
  // {label, name, color, value} of a pane at the probed place, or null where it has nothing to say.
  const { fx, fy } = panes.probe, map = panes.maps.get(pane.labels);
  if (!map || pane.problem) return null;
  const label = valueAt(map, fx, fy);
  if (pane.kind === "heat") return { name: filled(panes.data.words.differ, { percent: Math.round((100 * label) / 255) }), value: "" };
  const info = pane.classes[label];
  if (!info) return { name: panes.data.words.uncounted, value: "" };
  const probs = panes.probs.get(pane.probs);
  const row = probs && likeliest(probs, pane.binary, fx, fy).find((found) => found.label === label);
  return { label, name: info.name, color: label ? rgb(info.color) : null, value: row ? `${Math.round(100 * row.probability)} %` : "", common: pane.table?.[label] };
}

function answer(panes, figure, pane) {
  // What a pane says at the probed place, in the corner that is farthest from it.
  const found = panes.probe && readingOf(panes, pane);
  figure.answer.classList.toggle("hidden", !found);
  if (!found) return;
  const truth = panes.data.panes.find((other) => other.kind === "truth");
  const wanted = truth && truth !== pane ? readingOf(panes, truth) : null;
  const judged = wanted && pane.kind === "model" && pane.table && wanted.common !== undefined && wanted.common !== NOT_COUNTED;
  const swatch = element("span", { class: "swatch" });
  swatch.style.background = found.color ?? "transparent";
  const verdict = judged ? (found.common === wanted.common ? "✓" : "✗") : "";
  const words = verdict && (verdict === "✓" ? panes.data.words.right : panes.data.words.wrong);
  figure.answer.replaceChildren(...(pane.kind === "heat" ? [] : [swatch]), element("span", { text: found.name }), element("b", { text: found.value }),
    ...(verdict ? [element("i", { text: verdict, title: words, class: verdict === "✓" ? "right" : "wrong" })] : []));
  const y = 0.5 + (panes.probe.fy - panes.view.y) * panes.view.zoom;
  figure.answer.classList.toggle("top", y > 0.7);
}

function placeWords(panes) {
  const { data, probe } = panes, truth = data.panes.find((pane) => pane.kind === "truth");
  const place = filled(data.words.place, { x: Math.floor(probe.fx * data.width), y: Math.floor(probe.fy * data.height) });
  const known = truth && readingOf(panes, truth);
  return known ? `${place} · ${truth.title}: ${known.name}` : place;
}

function sayProbe(panes) {
  // For those who cannot see the panes, after a step of the keyboard.
  const parts = panes.figures.map(({ pane }) => [pane, readingOf(panes, pane)]).filter(([, found]) => found);
  panes.said.textContent = [placeWords(panes), ...parts.map(([pane, found]) => `${pane.title}: ${found.name} ${found.value}`)].join("; ");
}

function setProbe(panes, fx, fy) {
  panes.probe = fx < 0 || fy < 0 || fx >= 1 || fy >= 1 ? null : { fx, fy };
  redraw(panes);
}

// Mouse, fingers, keys --------------------------------------------------------------------------------------------------

function listenTo(panes, { frame }) {
  const place = (event) => placeAt(panes.view, frame.getBoundingClientRect(), event.clientX, event.clientY);
  frame.addEventListener("wheel", (event) => {
    const whole = panes.view.zoom <= 1 && !event.ctrlKey;
    if (whole && (event.deltaY > 0 || (isScrolled(panes.grid) && !panes.grid.matches(":focus-within")))) return; // the page scrolls
    event.preventDefault();
    const { fx, fy } = place(event);
    panes.look(zoomedAt(panes.view, Math.exp(-Math.max(-120, Math.min(120, event.deltaY)) / 400), fx, fy));
  }, { passive: false });
  frame.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    frame.setPointerCapture(event.pointerId);
    panes.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY, startX: event.clientX, startY: event.clientY, moved: false });
  });
  frame.addEventListener("pointermove", (event) => {
    const finger = panes.fingers.get(event.pointerId);
    if (finger) dragged(panes, frame, event, finger);
    if (event.pointerType === "mouse") { const { fx, fy } = place(event); setProbe(panes, fx, fy); }
  });
  frame.addEventListener("pointerup", (event) => {
    const finger = panes.fingers.get(event.pointerId);
    if (finger && !finger.moved && panes.fingers.size === 1) tapped(panes, event, place(event));
    panes.fingers.delete(event.pointerId);
    frame.classList.remove("held");
  });
  frame.addEventListener("pointercancel", (event) => panes.fingers.delete(event.pointerId));
  frame.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") { panes.probe = null; redraw(panes); } });
  frame.addEventListener("dblclick", (event) => { const { fx, fy } = place(event); panes.look(panes.view.zoom > 1 ? wholePicture() : zoomedAt(panes.view, 3, fx, fy)); });
}

function isScrolled(node) {
  // Whether anything around it is scrolled down: then the wheel first takes the page back up.
  for (; node; node = node.parentNode ?? node.host) if (node.scrollTop > 0) return true;
  return false;
}

function tapped(panes, event, { fx, fy }) {
  if (panes.layout === "blink" && event.pointerType === "mouse") { panes.setPlaying(false); flip(panes); }
  setProbe(panes, fx, fy);
}

function dragged(panes, frame, event, finger) {
  const box = frame.getBoundingClientRect(), others = [...panes.fingers.entries()].filter(([id]) => id !== event.pointerId);
  const dx = event.clientX - finger.x, dy = event.clientY - finger.y;
  if (Math.hypot(event.clientX - finger.startX, event.clientY - finger.startY) > SLOPPY) finger.moved = true;
  if (others.length) {
    // Two fingers: what lies between them grows with their distance and moves with their middle.
    const other = others[0][1];
    const before = Math.hypot(finger.x - other.x, finger.y - other.y), after = Math.hypot(event.clientX - other.x, event.clientY - other.y);
    const { fx, fy } = placeAt(panes.view, box, (event.clientX + other.x) / 2, (event.clientY + other.y) / 2);
    finger.moved = other.moved = true;
    panes.view = moved(zoomedAt(panes.view, after / Math.max(1, before), fx, fy), -dx / 2 / box.width, -dy / 2 / box.height);
  } else if (finger.moved && panes.view.zoom > 1) {
    frame.classList.add("held");
    panes.view = moved(panes.view, -dx / box.width, -dy / box.height);
  }
  [finger.x, finger.y] = [event.clientX, event.clientY];
  keep(panes);
  redraw(panes);
}

function pressed(panes, event) {
  const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (arrow && event.shiftKey) stepProbe(panes, ...arrow);
  else if (arrow && panes.view.zoom > 1) panes.look(moved(panes.view, arrow[0] * PAN_STEP, arrow[1] * PAN_STEP));
  else if (event.key === "+" || event.key === "=") panes.zoomBy(ZOOM_STEP);
  else if (event.key === "-") panes.zoomBy(1 / ZOOM_STEP);
  else if (event.key === "0") panes.look(wholePicture());
  else if (event.key === " ") panes.setPlaying(!panes.playing);
  else if (event.key === "Enter" && panes.layout === "blink") flip(panes);
  else if (event.key === "Escape" && panes.probe) { panes.probe = null; redraw(panes); }
  else return;
  event.preventDefault();
}

function stepProbe(panes, dx, dy) {
  // By a pixel where pixels are seen, else by a hundredth of the picture.
  const { width, height } = panes.data, { zoom, x, y } = panes.view;
  const step = Math.max(1, Math.round(Math.max(width, height) / 100 / zoom));
  const from = panes.probe ?? { fx: x, fy: y };
  const inside = (value, size) => (Math.min(size - 1, Math.max(0, value)) + 0.5) / size;
  panes.probe = { fx: inside(Math.floor(from.fx * width) + dx * step, width), fy: inside(Math.floor(from.fy * height) + dy * step, height) };
  sayProbe(panes);
  redraw(panes);
}

// What comes from Python ------------------------------------------------------------------------------------------------

function drawLegend(panes) {
  const { data, mode } = panes, shown = shownPanes(panes);
  const kinds = mode === "errors" ? data.errorKinds : mode === "difference" ? data.differenceKinds : data.legend;
  const ramp = shown.find((pane) => pane.kind === "heat")?.ramp;
  const text = JSON.stringify([kinds, ramp]);
  if (panes.legend.dataset.shown === text) return;
  panes.legend.dataset.shown = text;
  const entries = kinds.filter((kind, i) => mode === "overlay" || mode === "contour" || i > 0).map((kind) => {
    const swatch = element("span", { class: "swatch" });
    swatch.style.background = rgb(kind.color);
    return element("span", { class: "entry" }, swatch, element("span", { text: kind.name }));
  });
  if (ramp) {
    const scale = element("span", { class: "ramp" });
    scale.style.background = `linear-gradient(to right, ${ramp.map(rgb).join(", ")})`;
    entries.push(element("span", { class: "entry" }, element("span", { text: data.words.rampLow }), scale, element("span", { text: data.words.rampHigh })));
  }
  panes.legend.replaceChildren(...entries);
}

function adopt(panes, data) {
  // Settings that the new panes cannot have give way; all others stay, the zoom too unless it is another picture.
  const previous = panes.data?.pictureKey ?? remembered.picture;
  panes.data = data;
  if (previous !== data.pictureKey) { panes.view = wholePicture(); panes.probe = null; }
  const usable = data.panes.filter((pane) => !pane.problem);
  const models = usable.filter((pane) => pane.kind !== "picture");
  const has = (list, key) => list.some((pane) => pane.key === key);
  if (!data.modes.includes(panes.mode)) panes.mode = data.modes[0];
  if (!has(usable, panes.first)) panes.first = (models[0] ?? data.panes[0]).key;
  if (!has(usable, panes.second) || panes.second === panes.first) panes.second = (models.find((pane) => pane.key !== panes.first) ?? data.panes.find((pane) => pane.key !== panes.first) ?? data.panes[0]).key;
  if (!has(usable.filter((pane) => pane.table), panes.reference)) panes.reference = usable.find((pane) => pane.table)?.key ?? null;
}

async function fetchPictures(panes, data) {
  // Each address once; what no pane refers to any more is dropped.
  const wanted = { maps: new Set(), probs: new Set() };
  for (const pane of data.panes) { if (pane.labels) wanted.maps.add(pane.labels); if (pane.probs) wanted.probs.add(pane.probs); }
  for (const kind of ["maps", "probs"]) for (const url of panes[kind].keys()) if (!wanted[kind].has(url)) panes[kind].delete(url);
  if (panes.pictureUrl !== data.image) {
    panes.picture = null;
    const picture = await loadImage(data.image);
    if (panes.data !== data) return;
    [panes.picture, panes.pictureUrl] = [picture, data.image];
  }
  await Promise.all([...wanted.maps].filter((url) => !panes.maps.has(url)).map(async (url) => { panes.maps.set(url, sameLabels(await loadPixels(url))); }));
  if (panes.data === data) redraw(panes);
  await Promise.all([...wanted.probs].filter((url) => !panes.probs.has(url)).map(async (url) => { panes.probs.set(url, await loadPixels(url)); }));
}

async function showPanes(panes, data) {
  const before = panes.data;
  adopt(panes, data);
  panes.grid.setAttribute("aria-label", data.words.label);
  const shape = (d) => JSON.stringify([d.panes.map((pane) => pane.key), d.width, d.height, d.words]);
  if (!before || shape(before) !== shape(data)) build(panes);
  else { panes.figures.forEach((figure) => { figure.pane = paneOf(panes, figure.pane.key); }); arrange(panes); }
  await fetchPictures(panes, data);
  if (panes.data !== data) return; // a newer call draws
  redraw(panes);
  requestAnimationFrame(() => requestAnimationFrame(() => { if (panes.data === data) panes.root.dataset.ready = data.ready; }));
}

export default function (component) {
  const { parentElement, data } = component;
  const panes = stateOf(parentElement, () => makePanes(parentElement));
  showPanes(panes, data).catch(() => { panes.status.textContent = data.words.failed; });
}
