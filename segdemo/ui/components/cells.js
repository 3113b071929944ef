// The theatre of a layer: grids of cells, one of which is looked at. It plays by itself until hovered; hovering an output lights
// what it is made of, hovering an input what it feeds. Nothing is asked of the server, except when a number is typed over.

const SPEEDS = [0.5, 1, 2, 4, 8, 16, 32];
const MOST_TERMS = 12; // of a line of products
const WHOLE_SECONDS = 18, REST_MS = 2500, GLIDE_MS = 260;
const PICTURES = { play: "M8 5v14l11-7z", pause: "M7 5h4v14H7zM13 5h4v14h-4z", back: "M6 6h2v12H6zM20 6v12l-9.5-6z", onward: "M16 6h2v12h-2zM4 6l9.5 6L4 18z" };

function pictured(name) {
  return vector("svg", { viewBox: "0 0 24 24", width: 21, height: 21, "aria-hidden": "true" }, vector("path", { d: PICTURES[name] }));
}

function makeTheatre(parent) {
  const root = parent.querySelector(".root");
  const base = element("canvas", { "aria-hidden": "true", class: "base" }), over = element("canvas", { "aria-hidden": "true", class: "over" });
  const stage = element("div", { class: "stage", tabindex: "0", role: "application" }, base, over);
  const [back, play, onward] = ["back", "play", "onward"].map((name) => element("button", { type: "button", class: `control ${name}` }, pictured(name)));
  const slider = element("input", { type: "range", min: "0", step: "1", class: "steps" }), speed = element("select", { class: "speed" });
  const place = element("b", { class: "place" }), sum = element("span", { class: "sum" }), formula = element("div", { class: "formula" });
  const code = element("pre", { tabindex: "0" }), copy = element("button", { type: "button", class: "copy" }), summary = element("summary");
  const details = element("details", { class: "code" }, summary, element("div", { class: "listing" }, code, copy));
  const hint = element("p", { class: "hint" }), said = element("div", { class: "said", role: "status" });
  const bar = element("div", { class: "bar" }, back, play, onward, slider, speed), part = element("small", { class: "part" }), line = element("div", { class: "line" }, place, sum, part);
  root.replaceChildren(stage, element("div", { class: "told" }, line, bar), element("div", { class: "foot" }, formula, hint), details, said);
  const theatre = {
    root, stage, base, over, back, play, onward, slider, speed, place, sum, part, formula, code, copy, summary, details, hint, said, bar, line,
    data: null, model: null, layout: null, look: null, lit: null, target: null, glide: null, partial: null,
    step: 0, hover: null, pinned: null, playing: false, growing: false, started: false, frame: 0, stepAt: 0, perSecond: null, input: null,
  };
  listenToAll(theatre);
  return theatre;
}

// ---- listening -------------------------------------------------------------------------------------------------------------------

function listenToAll(theatre) {
  const { root, stage, back, play, onward, slider, speed, copy } = theatre;
  back.addEventListener("click", () => stepBy(theatre, -1));
  onward.addEventListener("click", () => stepBy(theatre, 1));
  play.addEventListener("click", () => (theatre.playing ? stop(theatre) : begin(theatre)));
  slider.addEventListener("input", () => slideTo(theatre, Number(slider.value))); // read first: stopping writes it
  speed.addEventListener("change", () => { theatre.perSecond = Number(speed.value); theatre.chosenSpeed = true; });
  copy.addEventListener("click", () => copyCode(theatre));
  stage.addEventListener("pointermove", (event) => onPoint(theatre, event));
  stage.addEventListener("pointerdown", (event) => onPress(theatre, event));
  stage.addEventListener("pointerleave", () => { theatre.stage.classList.remove("held"); hoverOn(theatre, null); });
  stage.addEventListener("dblclick", (event) => { const cell = pointed(theatre, event); if (cell !== null) editCell(theatre, cell); });
  stage.addEventListener("keydown", (event) => onPressed(theatre, event));
  root.addEventListener("transitionend", (event) => { if (event.propertyName === "color" && event.target === root) redraw(theatre); });
  new ResizeObserver(() => { if (theatre.data && theatre.layout?.width !== widthOf(theatre)) redraw(theatre); }).observe(root);
  new IntersectionObserver((entries) => { theatre.seen = entries.at(-1).isIntersecting; }).observe(stage);
}

function widthOf(theatre) {
  return Math.floor(theatre.root.clientWidth);
}

function pointed(theatre, event) {
  const box = theatre.stage.getBoundingClientRect();
  return cellAt(theatre.model, theatre.layout, event.clientX - box.left, event.clientY - box.top);
}

function onPoint(theatre, event) {
  if (theatre.input || theatre.data.covered || (event.pointerType === "touch" && !event.buttons)) return;
  const cell = pointed(theatre, event);
  if (event.pointerType === "touch") { if (cell !== null) pin(theatre, cell); } else hoverOn(theatre, cell);
}

function onPress(theatre, event) {
  if (theatre.input || theatre.data.covered) return;
  const cell = pointed(theatre, event);
  if (cell === null) { theatre.pinned = null; theatre.growing = false; return show(theatre, true); }
  if (event.pointerType === "touch" && theatre.pinned === cell && canEdit(theatre, cell)) return editCell(theatre, cell);
  pin(theatre, cell);
}

function pin(theatre, cell) {
  if (theatre.pinned === cell) return;
  stop(theatre);
  theatre.growing = false;
  theatre.hover = null;
  theatre.pinned = cell;
  if (theatre.model.places.has(cell)) theatre.step = theatre.model.places.get(cell);
  show(theatre, true);
  speak(theatre);
}

function hoverOn(theatre, cell) {
  // The play waits for as long as the pointer is on a cell.
  if (theatre.hover === cell || !theatre.model) return;
  theatre.hover = cell;
  theatre.stepAt = performance.now();
  show(theatre, false);
}

function onPressed(theatre, event) {
  if (event.altKey || event.ctrlKey || event.metaKey || theatre.input || event.target !== theatre.stage) return;
  const { model } = theatre;
  if (event.key === " ") { event.preventDefault(); return theatre.playing ? stop(theatre) : begin(theatre); }
  if (theatre.data.covered) return;
  const from = focused(theatre), { g, row, col } = whereIs(model, from), grid = model.data.grids[g];
  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  if (event.key === "Enter") { event.preventDefault(); return editCell(theatre, from); }
  if (event.key === "Escape") { theatre.pinned = null; theatre.growing = false; return show(theatre, true); }
  let next = null;
  if (moves[event.key]) {
    const [down, right] = moves[event.key];
    next = numberOf(model, g, Math.min(grid.rows - 1, Math.max(0, row + down)), Math.min(grid.columns - 1, Math.max(0, col + right)));
  } else if (event.key === "Home") next = model.starts[g];
  else if (event.key === "End") next = model.starts[g] + grid.values.length - 1;
  else if (event.key === "PageUp" || event.key === "PageDown") {
    const count = model.data.grids.length, other = (g + (event.key === "PageDown" ? 1 : count - 1)) % count;
    next = numberOf(model, other, Math.min(row, model.data.grids[other].rows - 1), Math.min(col, model.data.grids[other].columns - 1));
  } else return;
  event.preventDefault();
  theatre.hover = null;
  pin(theatre, next);
}

async function copyCode(theatre) {
  const { copy, data } = theatre;
  try {
    await navigator.clipboard.writeText(data.code);
    copy.textContent = data.words.copied;
  } catch {
    getSelection().selectAllChildren(theatre.code);
  }
}

// ---- typing a number over ----------------------------------------------------------------------------------------------------------

function canEdit(theatre, cell) {
  return theatre.data.editable.includes(whereIs(theatre.model, cell).g) && !theatre.model.border.has(cell);
}

function editCell(theatre, cell) {
  if (!canEdit(theatre, cell) || theatre.data.covered) return;
  stop(theatre);
  const rect = rectOf(theatre.model, theatre.layout, cell), { g, row, col } = whereIs(theatre.model, cell), before = valueOf(theatre.model, cell);
  const input = element("input", { type: "text", inputmode: "decimal", class: "typed", value: String(before), "aria-label": theatre.data.words.value });
  const wide = Math.max(46, rect.w);
  Object.assign(input.style, { left: `${rect.x + (rect.w - wide) / 2}px`, top: `${rect.y}px`, width: `${wide}px`, height: `${Math.max(28, rect.h)}px` });
  const close = (keep) => {
    if (theatre.input !== input) return;
    theatre.input = null;
    const value = Number(input.value.replace(",", ".").replace("−", "-"));
    input.remove();
    theatre.stage.focus({ preventScroll: true });
    if (keep && !(input.value.trim() !== "" && Number.isFinite(value))) refuse(theatre);
    else if (keep && value !== before) theatre.send("edited", { grid: g, row, col, value });
  };
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter") close(true);
    else if (event.key === "Escape") close(false);
  });
  input.addEventListener("blur", () => close(true));
  theatre.input = input;
  theatre.stage.append(input);
  input.focus({ preventScroll: true });
  input.select();
}

function refuse(theatre) {
  // What was typed is no number: said where the arithmetic stands, and nothing changes.
  theatre.sum.textContent = theatre.data.words.noNumber;
  theatre.said.textContent = theatre.data.words.noNumber;
}

// ---- playing ------------------------------------------------------------------------------------------------------------------------

function begin(theatre) {
  if (theatre.data.covered || !theatre.model.steps.length) return;
  if (theatre.step >= theatre.model.steps.length - 1) theatre.step = 0;
  Object.assign(theatre, { playing: true, growing: true, pinned: null, stepAt: performance.now() });
  show(theatre, true);
  run(theatre);
}

function stop(theatre) {
  theatre.playing = false;
  showButtons(theatre);
  speak(theatre);
}

function run(theatre) {
  // One loop of frames while something moves; none when all is still.
  if (theatre.frame) return;
  const draw = (now) => {
    theatre.frame = 0;
    if (!theatre.root.isConnected) return;
    if (theatre.playing && theatre.hover === null && theatre.seen !== false && !theatre.input) advance(theatre, now);
    paintLit(theatre, now);
    if (theatre.playing || (theatre.glide && now < theatre.glide.start + theatre.glide.ms)) theatre.frame = requestAnimationFrame(draw);
  };
  theatre.frame = requestAnimationFrame(draw);
}

function advance(theatre, now) {
  const last = theatre.step >= theatre.model.steps.length - 1, wait = last ? REST_MS : 1000 / theatre.perSecond;
  if (now - theatre.stepAt < wait) return;
  theatre.stepAt = Math.max(theatre.stepAt + wait, now - wait); // no hurry after a pause
  toStep(theatre, last ? 0 : theatre.step + 1);
}

function stepBy(theatre, by) {
  stop(theatre);
  theatre.pinned = null;
  theatre.growing = true;
  const count = theatre.model.steps.length;
  toStep(theatre, (theatre.step + by + count) % count);
  speak(theatre);
}

function slideTo(theatre, step) {
  stop(theatre);
  theatre.growing = true;
  theatre.pinned = null;
  toStep(theatre, step);
  speak(theatre);
}

function toStep(theatre, step) {
  const grown = theatre.growing && !theatre.model.scatter && step === theatre.step + 1;
  theatre.step = step;
  if (grown) { // one more cell; everything else is as it was
    const pen = sized(theatre.base, theatre.layout);
    paintCell(theatre, pen, theatre.model.steps[step]);
  }
  show(theatre, !grown);
}

function isGhost(theatre, cell) {
  // While the output grows, what has not been reached is empty.
  const { model } = theatre;
  if (!theatre.growing || !model.outputs.has(cell) || model.scatter) return false;
  return model.places.get(cell) > theatre.step;
}

function isCovered(theatre, g) {
  const { data, model } = theatre;
  return data.covered && (g === data.target || model.outputs.has(model.starts[g]));
}

function partialSums(theatre) {
  // Of a scatter: what the outputs are after this step.
  const { model } = theatre;
  if (!model.scatter || !theatre.growing) return null;
  const sums = new Map();
  for (const [output, made] of model.outputs) {
    let all = 0, reached = 0;
    for (let tap = made.first; tap < made.first + made.count; tap++) {
      all += model.data.products[tap] ?? 0;
      if (model.places.get(model.data.at[tap]) <= theatre.step) reached += model.data.products[tap] ?? 0;
    }
    const complete = reached === all, partial = valueOf(model, output) - all + reached;
    sums.set(output, complete ? valueOf(model, output) : Math.abs(partial) < 1e-9 * Math.max(1, Math.abs(all)) ? 0 : Number(partial.toPrecision(6)));
  }
  return sums;
}

// ---- showing -------------------------------------------------------------------------------------------------------------------------

function focused(theatre) {
  return theatre.hover ?? theatre.pinned ?? theatre.model.steps[Math.min(theatre.step, theatre.model.steps.length - 1)] ?? 0;
}

function show(theatre, grids) {
  const { model, root } = theatre, cell = focused(theatre), now = performance.now();
  if (grids) { theatre.partial = partialSums(theatre); paintGrids(theatre); }
  const before = theatre.target ? glided(theatre, now) : null;
  theatre.lit = litBy(model, cell);
  theatre.target = targetRects(theatre);
  const ms = calm() || !before || theatre.hover !== null ? 0 : Math.min(GLIDE_MS, theatre.playing ? 450 / theatre.perSecond : 140);
  theatre.glide = { from: before, start: now, ms };
  root.dataset.cell = nameOf(model, cell);
  root.dataset.inputs = String(theatre.lit.inputs.size);
  root.dataset.outputs = String(theatre.lit.outputs.size);
  root.dataset.playing = String(theatre.playing);
  showWords(theatre);
  showButtons(theatre);
  run(theatre);
}

function showWords(theatre) {
  const { data, model, place, sum } = theatre, cell = focused(theatre), { row, col, g } = whereIs(model, cell);
  theatre.part.textContent = data.covered ? "" : onePart(theatre, cell);
  if (data.covered) { place.textContent = data.words.covered; sum.textContent = ""; return; }
  place.textContent = `${data.grids[g].title}, ${placeWords(theatre, g, row, col, model.border.has(cell))}`;
  sum.textContent = arithmetic(theatre, cell);
}

function placeWords(theatre, g, row, col, border) {
  // Counted as PyTorch counts, from the first cell that is no border; a row of cells has columns only.
  const { data, model } = theatre, [top, left] = model.corners[g], at = { row: row - top, column: col - left };
  if (border) return data.words.border;
  return filled(data.grids[g].rows === 1 ? data.words.column : data.words.place, at);
}

function onePart(theatre, cell) {
  // Where the line says only what each channel or slice adds up to: the products of the first of them.
  const { data, model, lit } = theatre, made = model.outputs.get(cell);
  if (!made || lit.outputs.size || model.kernels.size < 2 || made.count <= MOST_TERMS || data.by[made.first] < 0) return "";
  const g = gridOf(model.starts, data.by[made.first]), taps = [];
  for (let tap = made.first; tap < made.first + made.count && taps.length <= MOST_TERMS; tap++) if (data.by[tap] >= 0 && gridOf(model.starts, data.by[tap]) === g) taps.push(tap);
  const terms = taps.slice(0, MOST_TERMS).map((tap) => `${bracketed(valueOf(model, data.at[tap]))}·${bracketed(data.weights[tap])}`);
  return `${data.grids[g].title}: ${terms.join(" + ")}${taps.length > MOST_TERMS ? " + …" : ""}`;
}

function bracketed(value) {
  const text = readable(value);
  return text.startsWith("−") ? `(${text})` : text;
}

function arithmetic(theatre, cell) {
  const { data, model, lit } = theatre, made = model.outputs.get(cell), words = data.words;
  if (made && !(model.scatter && lit.outputs.size)) return made.line;
  const value = readable(valueOf(model, cell)), parts = [];
  if (model.border.has(cell)) {
    const source = model.sources.get(cell) ?? -1, at = source >= 0 ? whereIs(model, source) : null;
    parts.push(at ? filled(words.repeats, { place: placeWords(theatre, at.g, at.row, at.col, false), grid: data.grids[at.g].title }) : words[emptiness(model, cell)]);
  }
  if (model.meets.has(cell) && !lit.outputs.size) parts.push(filled(words.meets, { value, n: lit.inputs.size }));
  else parts.push(model.told.get(cell) ?? filled(lit.outputs.size > 1 ? words.feeds : lit.outputs.size ? words.feedsOne : words.feedsNone, { value, n: lit.outputs.size }));
  return parts.join(" · ");
}

function emptiness(model, cell) {
  // What a cell of the border is called that repeats nothing.
  const value = valueOf(model, cell);
  return value === null ? "never" : value === "" ? "outside" : "zero";
}

function readable(value) {
  if (typeof value !== "number") return value === null ? "−∞" : "";
  return String(Number(value.toPrecision(4))).replace("-", "−");
}

function showButtons(theatre) {
  const { data, model, play, slider, speed, playing } = theatre, word = playing ? data.words.pause : data.words.play, last = Math.max(0, model.steps.length - 1);
  if (play.dataset.shown !== String(playing)) {
    play.replaceChildren(pictured(playing ? "pause" : "play"));
    play.dataset.shown = String(playing);
  }
  play.title = word;
  play.setAttribute("aria-label", word);
  slider.max = String(last);
  slider.value = String(theatre.step);
  slider.style.setProperty("--done", `${last ? (100 * theatre.step) / last : 0}%`);
  if (Number(speed.value) !== theatre.perSecond) speed.value = String(theatre.perSecond);
  theatre.root.dataset.playing = String(playing);
}

function speak(theatre) {
  if (theatre.data.covered) return;
  theatre.said.textContent = `${theatre.place.textContent}: ${theatre.sum.textContent}`;
}

function redraw(theatre) {
  const width = widthOf(theatre);
  if (!width || !theatre.model) return;
  theatre.look = coloursOf(theatre.root);
  theatre.layout = layoutOf(theatre.model, width, theatre.data.height ?? 395);
  theatre.stage.style.height = `${theatre.layout.height}px`;
  theatre.stage.dataset.boxes = JSON.stringify(theatre.layout.boxes.map((box, g) => [theatre.data.grids[g].key, box.x, box.y, box.cell]));
  theatre.target = null;
  show(theatre, true);
}

function label(theatre) {
  const { data, back, onward, slider, speed, summary, copy, code, formula, hint, stage, details } = theatre, { words } = data;
  stage.setAttribute("aria-label", `${data.label}. ${words.hint}`);
  for (const [button, word] of [[back, words.back], [onward, words.onward]]) { button.title = word; button.setAttribute("aria-label", word); }
  slider.setAttribute("aria-label", words.steps);
  speed.title = words.speed;
  speed.setAttribute("aria-label", words.speed);
  if (!speed.children.length) speed.append(...SPEEDS.map((value) => element("option", { value, text: filled(words.perSecond, { n: value }) })));
  summary.textContent = words.code;
  copy.textContent = words.copy;
  code.textContent = data.code;
  formula.textContent = data.covered ? "" : data.formula;
  const touch = window.matchMedia("(hover: none)").matches;
  hint.textContent = [touch ? words.touch : words.hint, data.editable.length ? (touch ? words.editTouch : words.edit) : ""].filter(Boolean).join(" ");
  details.classList.toggle("hidden", data.covered || !data.code);
  theatre.bar.classList.toggle("hidden", data.covered); // how many steps there are would tell the answer
}

function updateTheatre(theatre, data, send) {
  const kept = theatre.model && (theatre.pinned !== null || theatre.started) ? nameOf(theatre.model, theatre.pinned ?? theatre.model.steps[theatre.step] ?? 0) : null;
  const text = JSON.stringify(data);
  theatre.send = send;
  if (text === theatre.text) return;
  if (theatre.data?.covered && !data.covered) theatre.started = false; // what was guessed is now played
  theatre.text = text;
  theatre.data = data;
  theatre.model = modelOf(data);
  theatre.colour = painterOf(theatre.model, data.scales);
  theatre.hover = null;
  theatre.lit = null;
  const again = kept === null ? null : named(theatre.model, kept);
  theatre.pinned = theatre.pinned !== null ? again : null;
  theatre.step = again !== null && theatre.model.places.has(again) ? theatre.model.places.get(again) : 0;
  if (!theatre.chosenSpeed) {
    const wanted = Math.max(data.speed, theatre.model.steps.length / WHOLE_SECONDS);
    theatre.perSecond = SPEEDS.find((value) => value >= wanted * 0.99) ?? SPEEDS.at(-1);
  }
  if (!theatre.started && data.autoplay && !calm() && !data.covered) Object.assign(theatre, { playing: true, growing: true, step: 0, stepAt: performance.now() });
  theatre.started = true;
  if (data.covered) theatre.playing = false;
  if (!theatre.playing) theatre.growing = false;
  label(theatre);
  redraw(theatre);
  theatre.root.dataset.ready = String(Number(theatre.root.dataset.ready ?? 0) + 1);
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  updateTheatre(stateOf(parentElement, () => makeTheatre(parentElement)), data, setTriggerValue);
}
