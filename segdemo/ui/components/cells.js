// The theatre of a layer: grids of cells, one of which is looked at. It plays by itself until hovered; hovering an output lights
// what it is made of, hovering an input what it feeds. The server is told where it stands still, for the address, and what number
// was typed over; it is asked nothing.

const SPEEDS = [0.5, 1, 2, 4, 8, 16, 32];
const WHOLE_SECONDS = 18;
const TALLEST = 395, LOW = 200; // pixels of the stage where grids stand side by side; of one that is not worth making tall

function makeTheatre(parent) {
  const root = parent.querySelector(".root");
  const base = element("canvas", { "aria-hidden": "true", class: "base" }), over = element("canvas", { "aria-hidden": "true", class: "over" });
  const stage = element("div", { class: "stage", tabindex: "0", role: "application" }, base, over);
  const [back, play, onward] = ["back", "play", "onward"].map((name) => element("button", { type: "button", class: `control ${name}` }, playIcon(name)));
  const slider = element("input", { type: "range", min: "0", step: "1", class: "range steps" }), speed = element("select", { class: "speed" });
  const place = element("b", { class: "place" }), sum = element("span", { class: "sum" }), formula = element("div", { class: "formula" });
  const code = element("pre", { tabindex: "0" }), copy = element("button", { type: "button", class: "copy" }), summary = element("summary");
  const details = element("details", { class: "code" }, summary, element("div", { class: "listing" }, code, copy));
  const hint = element("p", { class: "hint" }), said = element("div", { class: "said", role: "status" });
  const bar = element("div", { class: "bar" }, back, play, onward, slider, speed), part = element("small", { class: "part" }), line = element("div", { class: "line" }, place, sum, part);
  root.replaceChildren(stage, bar, line, element("div", { class: "foot" }, formula, hint), details, said);
  const theatre = {
    root, stage, base, over, back, play, onward, slider, speed, place, sum, part, formula, code, copy, summary, details, hint, said, bar,
    text: "", data: null, model: null, layout: null, look: null, colour: null, lit: null, target: null, glide: null, partial: null,
    step: 0, hover: null, pinned: null, input: null, perSecond: null, chosenSpeed: false, seen: true,
    playing: false, growing: false, started: false, stands: false, shownPart: "", tallest: 0, frame: 0, timer: 0, stepAt: 0,
    send: null, asked: "", sent: [], noting: 0, gone: new AbortController(), observers: [],
  };
  listenToAll(theatre);
  return theatre;
}

function listenToAll(theatre) {
  const { root, stage, back, play, onward, slider, speed, copy } = theatre;
  back.addEventListener("click", () => stepBy(theatre, -1));
  onward.addEventListener("click", () => stepBy(theatre, 1));
  play.addEventListener("click", () => (theatre.playing ? stop(theatre) : begin(theatre)));
  slider.addEventListener("input", () => stayAt(theatre, Number(slider.value)));
  speed.addEventListener("change", () => { theatre.perSecond = Number(speed.value); theatre.chosenSpeed = true; goOn(theatre); });
  copy.addEventListener("click", () => copyCode(theatre));
  stage.addEventListener("pointermove", (event) => onPoint(theatre, event));
  stage.addEventListener("pointerdown", (event) => onPress(theatre, event));
  stage.addEventListener("pointerleave", () => hoverOn(theatre, null));
  stage.addEventListener("dblclick", (event) => { const cell = pointed(theatre, event); if (cell !== null) editCell(theatre, cell); });
  stage.addEventListener("keydown", (event) => onPressed(theatre, event));
  root.addEventListener("transitionend", (event) => { if (event.propertyName === "color" && event.target === root) redraw(theatre); });
  document.addEventListener("visibilitychange", () => goOn(theatre), { signal: theatre.gone.signal });
  const sizes = new ResizeObserver(() => { if (theatre.data && theatre.layout?.width !== widthOf(theatre)) redraw(theatre); });
  const sight = new IntersectionObserver((entries) => { theatre.seen = entries.at(-1).isIntersecting; goOn(theatre); });
  sizes.observe(root);
  sight.observe(stage);
  theatre.observers.push(sizes, sight);
}

function dispose(theatre) {
  // Nothing of it goes on once it is off the page.
  theatre.gone.abort();
  theatre.observers.forEach((observer) => observer.disconnect());
  clearTimeout(theatre.timer);
  clearTimeout(theatre.noting);
  cancelAnimationFrame(theatre.frame);
}

function widthOf(theatre) {
  return Math.floor(theatre.root.clientWidth);
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

// ---- showing -------------------------------------------------------------------------------------------------------------------------

function focused(theatre) {
  return theatre.hover ?? theatre.pinned ?? theatre.model.steps[Math.min(theatre.step, theatre.model.steps.length - 1)] ?? 0;
}

function show(theatre, grids) {
  const { model, root } = theatre, cell = focused(theatre), now = performance.now();
  if (grids) { theatre.partial = partialSums(theatre); paintGrids(theatre); }
  const from = theatre.target ? glided(theatre, now) : null;
  theatre.glide = { from, start: now, ms: from ? glideTime(theatre, theatre.lit.cell, cell) : 0 };
  theatre.lit = litBy(model, cell);
  theatre.target = targetRects(theatre);
  root.dataset.cell = nameOf(model, cell);
  root.dataset.inputs = String(theatre.lit.inputs.size);
  root.dataset.outputs = String(theatre.lit.outputs.size);
  showWords(theatre);
  showButtons(theatre);
  glideOn(theatre);
  goOn(theatre);
}

function showButtons(theatre) {
  const { data, model, play, slider, speed, playing } = theatre, word = playing ? data.words.pause : data.words.play, last = Math.max(0, model.steps.length - 1);
  if (play.dataset.shown !== String(playing)) {
    play.replaceChildren(playIcon(playing ? "pause" : "play"));
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

function steady(theatre, layout) {
  // On a wide stage one height for as long as a part is open, so that the buttons below stay where they are while sliders move.
  const { data } = theatre, wide = layout.width >= NARROW, part = `${wide} ${data.label} ${data.grids[0].kind}`;
  if (part !== theatre.shownPart) Object.assign(theatre, { shownPart: part, tallest: 0 });
  if (!wide) return layout;
  theatre.tallest = Math.max(theatre.tallest, layout.height, layout.height > LOW ? TALLEST + 3 : 0);
  return lowered(layout, Math.floor((theatre.tallest - layout.height) / 2), theatre.tallest);
}

function redraw(theatre) {
  const width = widthOf(theatre);
  if (!width || !theatre.model) return;
  theatre.look = coloursOf(theatre.root);
  theatre.colour = painterOf(theatre.model, theatre.data.scales, theatre.look);
  theatre.layout = steady(theatre, layoutOf(theatre.model, width, TALLEST));
  theatre.stage.style.height = `${theatre.layout.height}px`;
  theatre.stage.dataset.boxes = JSON.stringify(theatre.layout.boxes.map((box, g) => [theatre.data.grids[g].key, box.x, box.y, box.cell, theatre.data.grids[g].columns]));
  theatre.target = null;
  show(theatre, true);
}

function label(theatre) {
  const { data, back, onward, slider, speed, summary, copy, code, formula, hint, stage, details } = theatre, { words } = data;
  stage.setAttribute("aria-label", data.label);
  stage.setAttribute("aria-description", [words.keys, data.editable.length ? words.keysEdit : ""].filter(Boolean).join(" "));
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

// ---- data ----------------------------------------------------------------------------------------------------------------------------

function updateTheatre(theatre, { cell: moment, ...data }, send) {
  const text = JSON.stringify(data), news = isNews(theatre, moment), uncovered = Boolean(theatre.data?.covered) && !data.covered;
  theatre.send = send;
  if (text === theatre.text && !news) return;
  const kept = theatre.model && theatre.started ? nameOf(theatre.model, theatre.pinned ?? theatre.model.steps[theatre.step] ?? 0) : null;
  Object.assign(theatre, { text, data, model: modelOf(data), hover: null, lit: null });
  keepCell(theatre, kept);
  if (news || uncovered) { // what was guessed is now played, and so is what a link has no cell of
    Object.assign(theatre, { started: false, stands: false, pinned: null });
    if (moment && !data.covered) standAt(theatre, moment);
  }
  if (!theatre.chosenSpeed) {
    const wanted = Math.max(data.speed, theatre.model.steps.length / WHOLE_SECONDS);
    theatre.perSecond = SPEEDS.find((value) => value >= wanted * 0.99) ?? SPEEDS.at(-1);
  }
  if (!theatre.started && data.autoplay && !calm() && !data.covered) Object.assign(theatre, { playing: true, growing: true, step: 0, stepAt: performance.now() });
  theatre.started = true;
  if (data.covered) theatre.playing = false;
  label(theatre);
  redraw(theatre);
  note(theatre);
  theatre.root.dataset.ready = String(Number(theatre.root.dataset.ready ?? 0) + 1);
}

function keepCell(theatre, name) {
  // Other settings: the cell that was looked at, where it still exists.
  const again = name === null ? null : named(theatre.model, name), step = again === null ? undefined : theatre.model.places.get(again);
  theatre.pinned = theatre.pinned === null ? null : again;
  theatre.step = step ?? 0;
  theatre.stands = theatre.stands && (theatre.pinned !== null || step !== undefined);
  if (!theatre.playing) theatre.growing = false;
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component, theatre = stateOf(parentElement, () => makeTheatre(parentElement));
  updateTheatre(theatre, data, setTriggerValue);
  return () => { dispose(theatre); states.delete(parentElement); };
}
