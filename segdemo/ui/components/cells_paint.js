// How the grids are drawn: once, on a canvas of their own.

const BORDER_SHARE = 0.5; // of its colour that a cell of the border keeps
// Of cells that belong together: Okabe–Ito's, then Paul Tol's, so pale that text can be read on them in both themes.
const TINTS = ["#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#0072b2", "#d55e00", "#999933", "#882255", "#44aa99", "#8a939c", "#aa4499"];
const TINT_SHARE = 0.42, PALER = 0.6;

function shortNumber(value, fits) {
  // As many decimals as fit; fits(text) says whether a text does.
  if (typeof value !== "number") return value === null ? "−∞" : "";
  const minus = (text) => text.replace("-", "−");
  if (Number.isInteger(value)) return fits(minus(String(value))) ? minus(String(value)) : minus(value.toExponential(0).replace("e+", "e"));
  for (const decimals of [2, 1, 0]) {
    let text = value.toFixed(decimals);
    if (Number(text) === value) text = String(value); // 7.5 and not 7.50; but 3.00 for 3.001
    if (Number(text) === 0) return "≈0"; // fewer decimals would say no more
    text = minus(text.replace(/^(-?)0\./, "$1."));
    if (fits(text) || decimals === 0) return text;
  }
  return "";
}

function writeNumber(pen, value, rect, size, ink, look, weight, halo = null) {
  // A number in a cell, with as many decimals as its width takes.
  pen.font = `${weight} ${size}px ${look.font}`;
  write(pen, shortNumber(value, (text) => pen.measureText(text).width <= rect.w - 3), rect, size, ink, look, weight, halo);
}

function sized(canvas, layout) {
  const ratio = Math.min(2, window.devicePixelRatio || 1), width = Math.round(layout.width * ratio), height = Math.round(layout.height * ratio);
  if (canvas.width !== width || canvas.height !== height) {
    Object.assign(canvas, { width, height });
    Object.assign(canvas.style, { width: `${layout.width}px`, height: `${layout.height}px` });
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return pen;
}

function write(pen, text, rect, size, color, look, weight = 500, halo = null) {
  // In the middle of a rectangle. halo: a colour around the letters, over what lies below them.
  const x = rect.x + rect.w / 2, y = rect.y + rect.h / 2 + size * 0.06;
  pen.font = `${weight} ${size}px ${look.font}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  if (halo) {
    pen.lineJoin = "round";
    pen.lineWidth = 5;
    pen.strokeStyle = halo;
    pen.strokeText(text, x, y);
  }
  pen.fillStyle = color;
  pen.fillText(text, x, y);
}

function fontFor(cell) {
  return Math.max(9, Math.min(17, cell * 0.4));
}

// ---- the grids ----------------------------------------------------------------------------------------------------------------

function paintGrids(theatre) {
  const { model, layout, look } = theatre, pen = sized(theatre.base, layout);
  pen.clearRect(0, 0, layout.width, layout.height);
  const titles = chosenTitles(pen, model, layout, look);
  model.data.grids.forEach((grid, g) => {
    const box = layout.boxes[g];
    paintTitle(pen, titles[g], box, look, layout);
    if (isCovered(theatre, g)) return paintCover(pen, box, look);
    for (let i = 0; i < grid.values.length; i++) paintCell(theatre, pen, model.starts[g] + i);
  });
}

function roomFor(box, layout) {
  // Pixels from a title's start to the neighbour that it would run into, or to the edge.
  const beside = layout.boxes.filter((other) => other.x > box.x && other.y - TITLE < box.y && other.y + other.h > box.y - TITLE);
  return Math.min(layout.width, ...beside.map((other) => other.x - 6)) - box.x;
}

function chosenTitles(pen, model, layout, look) {
  // The whole titles where all of inputs, of kernels or of outputs find room, otherwise the shorter ones of all of these.
  const { grids } = model.data, titles = grids.map(titlesOf), roleOf = (g) => `${model.kernels.has(g)} ${model.outputs.has(model.starts[g])}`;
  pen.font = `600 13px ${look.font}`;
  const narrow = new Set(grids.map((_grid, g) => g).filter((g) => pen.measureText(titles[g][0]).width > roomFor(layout.boxes[g], layout)).map(roleOf));
  return titles.map(([whole, short], g) => (narrow.has(roleOf(g)) ? short : whole));
}

function paintTitle(pen, text, box, look, layout) {
  pen.font = `600 13px ${look.font}`;
  pen.fillStyle = look.text;
  pen.textAlign = "left";
  pen.textBaseline = "alphabetic";
  pen.fillText(text, box.x, box.y - 7, Math.max(30, roomFor(box, layout))); // if need be, narrower letters
}

function paintCover(pen, box, look) {
  pen.fillStyle = look.second;
  pen.strokeStyle = look.line;
  const side = { x: box.x, y: box.y, w: Math.min(box.w, 170), h: Math.min(box.h, 170) };
  pen.fillRect(side.x, side.y, side.w, side.h);
  pen.setLineDash([5, 4]);
  pen.strokeRect(side.x, side.y, side.w, side.h);
  pen.setLineDash([]);
  write(pen, "?", side, Math.min(46, Math.floor(0.8 * side.h)), look.accent, look, 600);
}

function paintCell(theatre, pen, cell, solid = false) {
  const { model, layout, look } = theatre, rect = rectOf(model, layout, cell), { g } = whereIs(model, cell);
  const ghost = !solid && isGhost(theatre, cell), edge = model.border.has(cell), color = ghost ? null : colourOfCell(theatre, cell);
  pen.clearRect(rect.x, rect.y, rect.w, rect.h);
  pen.globalAlpha = edge ? BORDER_SHARE : 1;
  pen.fillStyle = color ? rgb(color) : ghost ? look.back : look.second;
  pen.fillRect(rect.x, rect.y, rect.w, rect.h);
  pen.globalAlpha = 1;
  if (!ghost) tintCell(model, pen, rect, cell, look);
  if (edge) hatch(pen, rect, look);
  pen.lineWidth = 1;
  pen.strokeStyle = look.line;
  if (ghost || edge) pen.setLineDash([3, 3]);
  if (rect.w > 9) pen.strokeRect(rect.x, rect.y, rect.w, rect.h);
  pen.setLineDash([]);
  if (!ghost) paintNumber(theatre, pen, cell);
  if (model.marked.has(cell) && !(theatre.data.covered && theatre.data.links.length)) markCell(pen, rect, look);
}

function shownValue({ model, partial }, cell) {
  return partial?.get(cell) ?? valueOf(model, cell);
}

function colourOfCell(theatre, cell) {
  // A border of zeros has stripes and no colour.
  const value = shownValue(theatre, cell);
  return theatre.model.border.has(cell) && !value ? null : theatre.colour(whereIs(theatre.model, cell).g, value);
}

function paintNumber(theatre, pen, cell, again = false) {
  // Of a cell that has room for it. again: over something that passes, from which the cell's colour sets it apart.
  const { model, layout, look } = theatre, rect = rectOf(model, layout, cell), { g } = whereIs(model, cell);
  if (rect.w < model.least[g]) return;
  const color = colourOfCell(theatre, cell), under = color && model.border.has(cell) ? mixed(color, look.paper, BORDER_SHARE) : color;
  const halo = again ? (under ? rgb(under) : look.back) : null;
  writeNumber(pen, shownValue(theatre, cell), rect, fontFor(rect.w), under ? inkOn(under) : look.text, look, model.kernels.has(g) ? 600 : 500, halo);
}

function tintCell(model, pen, rect, cell, look) {
  // A wash of the colour of those that belong together; the second dozen is paler.
  const { g } = whereIs(model, cell), tint = model.data.grids[g].tints?.[cell - model.starts[g]];
  if (tint === undefined) return;
  pen.fillStyle = look.back;
  pen.fillRect(rect.x, rect.y, rect.w, rect.h);
  pen.globalAlpha = TINT_SHARE * PALER ** Math.floor(tint / TINTS.length);
  pen.fillStyle = TINTS[tint % TINTS.length];
  pen.fillRect(rect.x, rect.y, rect.w, rect.h);
  pen.globalAlpha = 1;
}

function hatch(pen, rect, look) {
  // Padding is striped, whatever its colour.
  pen.save();
  pen.beginPath();
  pen.rect(rect.x, rect.y, rect.w, rect.h);
  pen.clip();
  pen.globalAlpha = 0.22;
  pen.strokeStyle = look.text;
  pen.lineWidth = 1;
  pen.beginPath();
  const step = Math.max(5, rect.w / 5);
  for (let at = step / 2; at < rect.w + rect.h; at += step) {
    pen.moveTo(rect.x + at, rect.y);
    pen.lineTo(rect.x + at - rect.h, rect.y + rect.h);
  }
  pen.stroke();
  pen.restore();
}

function markCell(pen, rect, look) {
  const side = Math.max(5, rect.w * 0.24);
  pen.fillStyle = look.accent;
  pen.beginPath();
  pen.moveTo(rect.x + rect.w - side, rect.y);
  pen.lineTo(rect.x + rect.w, rect.y);
  pen.lineTo(rect.x + rect.w, rect.y + side);
  pen.fill();
}
