// The figures: one a pane with its canvas, caption and divider, laid out in the room there is and painted, with the legend.

const CAPTION = 66, GAP = 12; // pixels

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
  const { data, figures, grid } = panes, width = Math.floor(panes.root.getBoundingClientRect().width); // clientWidth may round up
  if (!width) return;
  const aspect = data.width / data.height;
  const height = Math.max(360, window.innerHeight * (panes.layout === "grid" ? 0.74 : 0.66));
  const { columns, side } = panes.layout === "grid" ? gridFor(figures.length, width, height, aspect, CAPTION, GAP)
    : { columns: 1, side: Math.floor(Math.min(width, (height - CAPTION) * aspect)) };
  grid.style.setProperty("--side", `${side}px`);
  grid.style.maxWidth = `${columns * side + (columns - 1) * GAP}px`; // so many in a row, and the last row in the middle
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
  panes.status.textContent = panes.failed ? panes.data.words.failed : panes.probe ? placeWords(panes) : panes.data.words.hint;
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
