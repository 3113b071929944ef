// How the theatre is drawn: the grids once, on a canvas of their own; what is lit, on a second one over it, every frame.

const ROOM_FOR_WEIGHTS = 34; // pixels of a cell that has room for a number and, in its corner, a weight
const BORDER_SHARE = 0.5; // of its colour that a cell of the border keeps
const STRAIGHT = 6; // times the usual number: as far as colours follow the numbers themselves
// Of cells that belong together: Okabe–Ito's, then Paul Tol's, so pale that text can be read on them in both themes.
const TINTS = ["#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#0072b2", "#d55e00", "#999933", "#882255", "#44aa99", "#8a939c", "#aa4499"];
const TINT_SHARE = 0.42, PALER = 0.6;

function coloursOf(root) {
  const style = getComputedStyle(root);
  return {
    text: style.color, back: style.getPropertyValue("--st-background-color"), second: style.getPropertyValue("--st-secondary-background-color"),
    line: style.getPropertyValue("--st-border-color"), paper: channelsOf(style.getPropertyValue("--st-background-color")), accent: style.getPropertyValue("--st-primary-color"), font: style.fontFamily,
    glow: style.getPropertyValue("--glow"),
  };
}

function channelsOf(color) {
  // "#0e1117" → [14, 17, 23]; the browser reads every other way to write a colour.
  const pen = new OffscreenCanvas(1, 1).getContext("2d");
  pen.fillStyle = color;
  pen.fillRect(0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

function painterOf(model, scales) {
  // The colour of each cell as [r, g, b], or null where it has none; one scale a kind and role, so that equal numbers look equal.
  const found = new Map(), roleOf = (g) => `${model.data.grids[g].kind} ${model.kernels.has(g)} ${model.outputs.has(model.starts[g])}`;
  model.data.grids.forEach((grid, g) => {
    const numbers = found.get(roleOf(g)) ?? [];
    for (const value of grid.values) if (typeof value === "number") numbers.push(value);
    found.set(roleOf(g), numbers);
  });
  const straight = model.data.grids.some((grid) => grid.kind === "picture"); // what is made of greys is coloured as evenly
  const reaches = new Map([...found].map(([role, numbers]) => [role, reachOf(numbers, straight)]));
  return (g, value) => {
    const { kind } = model.data.grids[g], reach = reaches.get(roleOf(g));
    if (kind === "plain") return null;
    if (kind === "picture") {
      const most = Math.max(1, reach.highest), grey = Math.round((255 * (value - reach.lowest)) / (most - reach.lowest));
      return [grey, grey, grey];
    }
    return along(scales[kind], kind === "signed" ? 0.5 + 0.3 * spread(value, reach) : value / (reach.most || 1));
  };
}

function reachOf(numbers, straight) {
  // The largest without its sign, the smallest and largest with it (from 0), and the size beyond which logarithms are drawn:
  // far out where no number is much larger than most, near 0 where one is.
  const sizes = numbers.map(Math.abs).filter((size) => size > 0).sort((a, b) => a - b);
  const most = sizes.at(-1) ?? 0, middle = sizes[Math.floor(sizes.length / 2)] ?? 1;
  return {
    most, bend: straight ? 1e3 * most : Math.max(0.1, (STRAIGHT * middle) / (most || 1)) * middle,
    lowest: numbers.reduce((low, value) => Math.min(low, value), 0), highest: numbers.reduce((high, value) => Math.max(high, value), 0),
  };
}

function spread(value, { most, bend }) {
  // −1 to 1: as the number itself where it is small, as its logarithm where it is large, so that one of 99 leaves 1, 2 and 3 apart.
  return most ? Math.max(-1, Math.min(1, Math.asinh(value / bend) / Math.asinh(most / bend))) : 0;
}

function along(scale, share) {
  const at = Math.min(0.9999, Math.max(0, share)) * (scale.length - 1), i = Math.floor(at), part = at - i;
  return scale[i].map((start, c) => Math.round(start + (scale[i + 1][c] - start) * part));
}

function inkOn(color) {
  // Black or white, whichever stands out more: 4.5 : 1 at least, on every colour (WCAG 2.2, relative luminance).
  const [r, g, b] = color.map((part) => (part <= 10 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.1791 ? "#000000" : "#ffffff";
}

function mixed(color, paper, share) {
  return color.map((part, c) => share * part + (1 - share) * paper[c]);
}

function shortNumber(value, room) {
  // As many decimals as fit into a cell of that many characters.
  if (typeof value !== "number") return value === null ? "−∞" : "";
  const minus = (text) => text.replace("-", "−");
  if (Number.isInteger(value)) return minus(String(value)).length <= room + 1 ? minus(String(value)) : minus(value.toExponential(0).replace("e+", "e"));
  for (const decimals of [2, 1, 0]) {
    let text = value.toFixed(decimals);
    if (decimals && Number(text) === 0) text = value < 0 ? "-0" : "0";
    text = text.replace(/^(-?)0\./, "$1.");
    if (text.length <= room || decimals === 0) return minus(text === "-0" ? "≈0" : text);
  }
  return "";
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

function write(pen, text, rect, size, color, look, weight = 500) {
  pen.font = `${weight} ${size}px ${look.font}`;
  pen.fillStyle = color;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(text, rect.x + rect.w / 2, rect.y + rect.h / 2 + size * 0.06);
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
  const { model, layout, look, colour } = theatre, rect = rectOf(model, layout, cell), { g } = whereIs(model, cell);
  const ghost = !solid && isGhost(theatre, cell), value = theatre.partial?.get(cell) ?? valueOf(model, cell), edge = model.border.has(cell);
  const color = ghost || (edge && !value) ? null : colour(g, value); // a border of zeros has stripes and no colour
  pen.clearRect(rect.x, rect.y, rect.w, rect.h);
  pen.globalAlpha = edge ? BORDER_SHARE : 1;
  pen.fillStyle = color ? rgb(color) : ghost ? look.back : look.second;
  pen.fillRect(rect.x, rect.y, rect.w, rect.h);
  pen.globalAlpha = 1;
  if (!ghost) tintCell(model, pen, rect, cell, look);
  if (edge) hatch(pen, rect, color, look);
  const ink = color ? inkOn(edge ? mixed(color, look.paper, BORDER_SHARE) : color) : look.text;
  pen.lineWidth = 1;
  pen.strokeStyle = look.line;
  if (ghost || edge) pen.setLineDash([3, 3]);
  if (rect.w > 9) pen.strokeRect(rect.x, rect.y, rect.w, rect.h);
  pen.setLineDash([]);
  if (!ghost && rect.w >= model.least[g]) {
    const size = fontFor(rect.w);
    write(pen, shortNumber(value, Math.floor((rect.w - 3) / (size * 0.56))), rect, size, ink, look, model.kernels.has(g) ? 600 : 500);
  }
  if (model.marked.has(cell) && !(theatre.data.covered && theatre.data.links.length)) markCell(pen, rect, look);
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

function hatch(pen, rect, color, look) {
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

// ---- what is lit ---------------------------------------------------------------------------------------------------------------

function paintLit(theatre, now) {
  const { model, layout, look } = theatre, pen = sized(theatre.over, layout), lit = theatre.lit;
  pen.clearRect(0, 0, layout.width, layout.height);
  if (!lit || theatre.data.covered) return;
  const rects = glided(theatre, now), arrived = rects.part >= 1;
  if (rects.window) joinRects(pen, rects.window, rects.middle ?? rects.focus, look);
  if (rects.middle) joinRects(pen, rects.result ?? rects.middle, rects.focus, look);
  if (arrived) {
    for (const input of lit.inputs.keys()) outlined(pen, rectOf(model, layout, input), look.accent, 1.5, look);
    for (const [input, tap] of lit.inputs) if (tap >= 0) paintWeight(theatre, pen, input, tap);
    for (const output of lit.outputs.keys()) outlined(pen, rectOf(model, layout, output), look.accent, 2, look);
    for (const [output, tap] of lit.outputs) paintWeight(theatre, pen, output, tap);
  }
  for (const [weight, tap] of lit.weights) {
    outlined(pen, rectOf(model, layout, weight), look.accent, 1.5, look);
    if (arrived && !layout.products && lit.inputs.size) corner(pen, rectOf(model, layout, weight), "=", model.data.products[tap], look);
  }
  paintProducts(theatre, pen, arrived);
  if (arrived && isGhost(theatre, lit.cell)) paintCell(theatre, pen, lit.cell, true);
  if (rects.window) framed(pen, rects.window, look, 3);
  if (rects.focus) framed(pen, rects.focus, look, 3.5);
  if (arrived) {
    paintSources(theatre, pen);
    paintLinks(theatre, pen);
  }
}

function outlined(pen, rect, color, width, look) {
  pen.lineWidth = width;
  pen.strokeStyle = color;
  pen.strokeRect(rect.x + 1, rect.y + 1, rect.w - 2, rect.h - 2);
}

function framed(pen, rect, look, width) {
  pen.lineJoin = "round";
  pen.lineWidth = width + 2.5;
  pen.strokeStyle = look.back;
  pen.strokeRect(rect.x, rect.y, rect.w, rect.h);
  pen.lineWidth = width;
  pen.strokeStyle = look.accent;
  pen.strokeRect(rect.x, rect.y, rect.w, rect.h);
}

function joinRects(pen, a, b, look) {
  // A band from one rectangle to another, as light through a lens.
  const beside = b.x > a.x + a.w, under = b.y > a.y + a.h;
  if (!beside && !under) return;
  pen.beginPath();
  if (beside) {
    pen.moveTo(a.x + a.w, a.y); pen.lineTo(b.x, b.y); pen.lineTo(b.x, b.y + b.h); pen.lineTo(a.x + a.w, a.y + a.h);
  } else {
    pen.moveTo(a.x, a.y + a.h); pen.lineTo(b.x, b.y); pen.lineTo(b.x + b.w, b.y); pen.lineTo(a.x + a.w, a.y + a.h);
  }
  pen.closePath();
  pen.fillStyle = look.accent;
  pen.globalAlpha = 0.07;
  pen.fill();
  pen.globalAlpha = 0.35;
  pen.lineWidth = 1;
  pen.strokeStyle = look.accent;
  pen.stroke();
  pen.globalAlpha = 1;
}

function paintWeight(theatre, pen, cell, tap) {
  // The weight a lit cell is multiplied with, small in its corner.
  corner(pen, rectOf(theatre.model, theatre.layout, cell), "×", theatre.model.data.weights[tap], theatre.look);
}

function corner(pen, rect, sign, value, look) {
  if (value === null || value === undefined || rect.w < ROOM_FOR_WEIGHTS) return;
  const text = sign + shortNumber(value, 4), size = Math.max(9.5, rect.w * 0.23);
  pen.font = `600 ${size}px ${look.font}`;
  const wide = pen.measureText(text).width + 4;
  pen.fillStyle = look.accent;
  pen.fillRect(rect.x + rect.w - wide - 1, rect.y + rect.h - size - 3, wide, size + 2);
  pen.fillStyle = look.back;
  pen.textAlign = "right";
  pen.textBaseline = "alphabetic";
  pen.fillText(text, rect.x + rect.w - 3, rect.y + rect.h - 3.5);
}

function paintProducts(theatre, pen, arrived) {
  const { model, layout, look, lit } = theatre, box = layout.products;
  if (!box || !lit.inputs.size || !lit.weights.size) return;
  paintTitle(pen, model.data.words.products, box, look, layout);
  for (const [weight, tap] of lit.weights) {
    const { row, col } = whereIs(model, weight), product = model.data.products[tap];
    const rect = { x: box.x + col * box.cell, y: box.y + row * box.cell, w: box.cell, h: box.cell };
    pen.globalAlpha = arrived ? 1 : 0.45;
    pen.fillStyle = look.second;
    pen.fillRect(rect.x, rect.y, rect.w, rect.h);
    pen.lineWidth = 1;
    pen.strokeStyle = look.line;
    pen.strokeRect(rect.x, rect.y, rect.w, rect.h);
    const size = fontFor(rect.w);
    if (rect.w >= READABLE) write(pen, shortNumber(product, Math.floor((rect.w - 3) / (size * 0.56))), rect, size, look.text, look, 600);
    pen.globalAlpha = 1;
  }
}

function paintSources(theatre, pen) {
  // From each lit cell of the border to the cell whose value it repeats.
  const { model, layout, look, lit } = theatre;
  const edges = [lit.cell, ...lit.inputs.keys()].filter((cell) => (model.sources.get(cell) ?? -1) >= 0);
  pen.strokeStyle = look.glow;
  pen.fillStyle = look.glow;
  for (const cell of edges) arrow(pen, rectOf(model, layout, model.sources.get(cell)), rectOf(model, layout, cell), cell === lit.cell ? 2.5 : 1.6);
}

function paintLinks(theatre, pen) {
  // Between cells that belong together and of which one is looked at: a maximum and where it was found.
  const { model, layout, look, lit } = theatre;
  pen.strokeStyle = look.glow;
  pen.fillStyle = look.glow;
  const onward = new Set([lit.cell]), back = new Set([lit.cell]);
  const draw = ([start, end]) => arrow(pen, rectOf(model, layout, start), rectOf(model, layout, end), 2.2);
  for (const link of model.data.links) if (onward.has(link[0])) { onward.add(link[1]); draw(link); }
  for (const link of model.data.links.toReversed()) if (back.has(link[1])) { back.add(link[0]); draw(link); }
}

function arrow(pen, from, to, width) {
  const a = { x: from.x + from.w / 2, y: from.y + from.h / 2 }, b = { x: to.x + to.w / 2, y: to.y + to.h / 2 };
  const dx = b.x - a.x, dy = b.y - a.y, length = Math.hypot(dx, dy);
  if (length < 2) return;
  const bend = Math.min(18, length * 0.22), mid = { x: (a.x + b.x) / 2 - (dy / length) * bend, y: (a.y + b.y) / 2 + (dx / length) * bend };
  pen.lineWidth = width;
  pen.beginPath();
  pen.moveTo(a.x, a.y);
  pen.quadraticCurveTo(mid.x, mid.y, b.x, b.y);
  pen.stroke();
  pen.beginPath();
  pen.arc(a.x, a.y, width + 1.2, 0, 7);
  pen.fill();
  const angle = Math.atan2(b.y - mid.y, b.x - mid.x), head = 5 + width;
  pen.beginPath();
  pen.moveTo(b.x, b.y);
  pen.lineTo(b.x - head * Math.cos(angle - 0.45), b.y - head * Math.sin(angle - 0.45));
  pen.lineTo(b.x - head * Math.cos(angle + 0.45), b.y - head * Math.sin(angle + 0.45));
  pen.fill();
}

// ---- gliding -------------------------------------------------------------------------------------------------------------------

function targetRects(theatre) {
  // The window on the input, the kernel and products between, and the cell in question.
  const { model, layout, lit } = theatre;
  const at = (cells) => (cells.length ? around(cells.map((cell) => rectOf(model, layout, cell))) : null);
  const inputs = [...lit.inputs.keys()], grids = new Set(inputs.map((cell) => gridOf(model.starts, cell)));
  const several = grids.size > 1;
  const grid = gridOf(model.starts, lit.cell), focus = rectOf(model, layout, lit.cell), middle = at([...lit.weights.keys()]);
  if (lit.outputs.size) return { window: null, middle: null, focus, grid, result: null };
  return { window: several ? null : at(inputs), middle: several ? null : middle, focus, grid, result: layout.products && middle ? layout.products : middle };
}

function glided(theatre, now) {
  const target = theatre.target, glide = theatre.glide;
  if (!glide || glide.ms <= 0) return { ...target, part: 1 };
  const part = Math.min(1, (now - glide.start) / glide.ms), eased = 1 - (1 - part) ** 3;
  const jumps = glide.from.grid !== target.grid;
  const between = (a, b) => (a && b ? { x: a.x + (b.x - a.x) * eased, y: a.y + (b.y - a.y) * eased, w: a.w + (b.w - a.w) * eased, h: a.h + (b.h - a.h) * eased } : b);
  return { window: between(glide.from.window, target.window), middle: target.middle, focus: jumps ? target.focus : between(glide.from.focus, target.focus), grid: target.grid, result: target.result, part };
}
