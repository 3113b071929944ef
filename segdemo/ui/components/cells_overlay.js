// What is lit, on a canvas over the grids: a window, what it is multiplied with, arrows, and how these glide.

const ROOM_FOR_WEIGHTS = 41; // pixels of a cell that has room for its number and, below it, a weight
const SHORTEST_ARROW = 12, INTO_CELL = 0.45; // pixels; share of the way from a cell's edge to its middle
const HALO = 1.8; // pixels around an arrow, in the colour of the background

// ---- what is lit ---------------------------------------------------------------------------------------------------------------

function paintLit(theatre, now) {
  const { model, layout, look } = theatre, pen = sized(theatre.over, layout), lit = theatre.lit;
  pen.clearRect(0, 0, layout.width, layout.height);
  if (!lit || theatre.data.covered) return;
  const rects = glided(theatre, now), arrived = rects.part >= 1;
  between(pen, layout, () => {
    if (rects.window) joinRects(pen, rects.window, rects.middle ?? rects.focus, look);
    if (rects.middle) joinRects(pen, rects.result ?? rects.middle, rects.focus, look);
  });
  const apart = sameWeight(theatre) === null; // equal weights are said once, in words
  if (arrived) {
    for (const input of lit.inputs.keys()) outlined(pen, rectOf(model, layout, input), look.accent, 1.5);
    for (const [input, tap] of lit.inputs) if (apart && tap >= 0) paintWeight(theatre, pen, input, tap);
    for (const output of lit.outputs.keys()) outlined(pen, rectOf(model, layout, output), look.accent, 2);
    for (const [output, tap] of lit.outputs) {
      if (model.scatter) corner(pen, rectOf(model, layout, output), "+", model.data.products[tap], look); // what is added to it
      else if (apart) paintWeight(theatre, pen, output, tap);
    }
  }
  for (const [weight, tap] of lit.weights) {
    outlined(pen, rectOf(model, layout, weight), look.accent, 1.5);
    if (arrived && !layout.products && lit.inputs.size) corner(pen, rectOf(model, layout, weight), "=", model.data.products[tap], look);
  }
  paintProducts(theatre, pen, arrived);
  if (arrived && isGhost(theatre, lit.cell)) paintCell(theatre, pen, lit.cell, true);
  if (rects.window) framed(pen, rects.window, look, 3);
  if (rects.focus) framed(pen, rects.focus, look, 3.5);
  if (arrived) paintArrows(theatre, pen);
}

function between(pen, layout, draw) {
  // Draws only where there are no cells.
  pen.save();
  pen.beginPath();
  pen.rect(0, 0, layout.width, layout.height);
  for (const box of [...layout.boxes, layout.products]) if (box) pen.rect(box.x, box.y, box.w, box.h);
  pen.clip("evenodd");
  draw();
  pen.restore();
}

function paintArrows(theatre, pen) {
  // Above the cells, each from edge to edge; the numbers that they pass are written again on top.
  const { look } = theatre, arrows = [...sourceArrows(theatre), ...linkArrows(theatre)];
  for (const arrow of arrows) paintArrow(pen, arrow, look.back, HALO);
  for (const arrow of arrows) paintArrow(pen, arrow, look.glow, 0);
  for (const cell of new Set(arrows.flatMap((arrow) => cellsPassed(theatre, arrow)))) paintNumber(theatre, pen, cell, true);
}

function cellsPassed(theatre, { a, mid, b }) {
  // Cells across whose numbers an arrow runs.
  const { model, layout } = theatre, count = Math.max(2, Math.ceil(Math.hypot(b.x - a.x, b.y - a.y) / 2)), found = [];
  for (let i = 0; i <= count; i++) {
    const t = i / count, along = (axis) => (1 - t) ** 2 * a[axis] + 2 * t * (1 - t) * mid[axis] + t * t * b[axis], x = along("x"), y = along("y");
    const cell = cellAt(model, layout, x, y);
    if (cell === null || isCovered(theatre, whereIs(model, cell).g) || (isGhost(theatre, cell) && cell !== theatre.lit.cell)) continue;
    const rect = rectOf(model, layout, cell), middle = middleOf(rect), size = fontFor(rect.w);
    if (Math.abs(x - middle.x) < Math.min(rect.w / 2, 1.3 * size) && Math.abs(y - middle.y) < 0.8 * size) found.push(cell);
  }
  return found;
}

function outlined(pen, rect, color, width) {
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
  const text = sign + shortNumber(value, (text) => text.length <= 4), size = Math.max(9.5, rect.w * 0.23);
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
    if (rect.w >= READABLE) writeNumber(pen, product, rect, size, look.text, look, 600);
    pen.globalAlpha = 1;
  }
}

function sourceArrows({ model, layout, lit }) {
  // From each lit cell of the border to the cell whose value it repeats.
  const edges = [lit.cell, ...lit.inputs.keys()].filter((cell) => (model.sources.get(cell) ?? -1) >= 0);
  return edges.map((cell) => arrowOf(rectOf(model, layout, model.sources.get(cell)), rectOf(model, layout, cell), cell === lit.cell ? 2 : 1.5)).filter(Boolean);
}

function linkArrows({ model, layout, lit }) {
  // Between cells that belong together and of which one is looked at: a maximum and where it was found.
  const onward = new Set([lit.cell]), back = new Set([lit.cell]), found = new Set();
  for (const link of model.data.links) if (onward.has(link[0])) { onward.add(link[1]); found.add(link); }
  for (const link of model.data.links.toReversed()) if (back.has(link[1])) { back.add(link[0]); found.add(link); }
  return [...found].map(([start, end]) => arrowOf(rectOf(model, layout, start), rectOf(model, layout, end), 1.8)).filter(Boolean);
}

function middleOf(rect) {
  return { x: rect.x + rect.w / 2, y: rect.y + rect.h / 2 };
}

function edgeOf(rect, toward, inside) {
  // Where the way from a rectangle's middle to a point leaves it, or a share of the way before that.
  const { x, y } = middleOf(rect), dx = toward.x - x, dy = toward.y - y;
  const part = (1 - inside) * Math.min(1, rect.w / 2 / Math.max(1e-6, Math.abs(dx)), rect.h / 2 / Math.max(1e-6, Math.abs(dy)));
  return { x: x + part * dx, y: y + part * dy };
}

function arrowOf(from, to, width) {
  // A bent way from edge to edge, between neighbours a little into both: its ends, the point it bends towards, its width.
  const start = middleOf(from), end = middleOf(to), dx = end.x - start.x, dy = end.y - start.y, length = Math.hypot(dx, dy);
  if (length < 2) return null;
  const bend = Math.min(18, length * 0.22), mid = { x: (start.x + end.x) / 2 - (dy / length) * bend, y: (start.y + end.y) / 2 + (dx / length) * bend };
  let a = edgeOf(from, mid, 0), b = edgeOf(to, mid, 0);
  if (Math.hypot(b.x - a.x, b.y - a.y) < SHORTEST_ARROW) [a, b] = [edgeOf(from, mid, INTO_CELL), edgeOf(to, mid, INTO_CELL)];
  return { a, mid, b, width };
}

function paintArrow(pen, { a, mid, b, width }, color, more) {
  // more: pixels by which all of it is wider, on both sides.
  pen.strokeStyle = color;
  pen.fillStyle = color;
  pen.lineJoin = "round";
  pen.lineWidth = width + 2 * more;
  pen.beginPath();
  pen.moveTo(a.x, a.y);
  pen.quadraticCurveTo(mid.x, mid.y, b.x, b.y);
  pen.stroke();
  pen.beginPath();
  pen.arc(a.x, a.y, width + 1.2 + more, 0, 7);
  pen.fill();
  const angle = Math.atan2(b.y - mid.y, b.x - mid.x), head = 6 + width;
  pen.beginPath();
  pen.moveTo(b.x, b.y);
  pen.lineTo(b.x - head * Math.cos(angle - 0.45), b.y - head * Math.sin(angle - 0.45));
  pen.lineTo(b.x - head * Math.cos(angle + 0.45), b.y - head * Math.sin(angle + 0.45));
  pen.closePath();
  pen.fill();
  if (!more) return;
  pen.lineWidth = 2 * more;
  pen.stroke();
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
  const part = Math.max(0, Math.min(1, (now - glide.start) / glide.ms)), eased = 1 - (1 - part) ** 3;
  const jumps = glide.from.grid !== target.grid;
  const onTheWay = (a, b) => (a && b ? { x: a.x + (b.x - a.x) * eased, y: a.y + (b.y - a.y) * eased, w: a.w + (b.w - a.w) * eased, h: a.h + (b.h - a.h) * eased } : b);
  return { window: onTheWay(glide.from.window, target.window), middle: target.middle, focus: jumps ? target.focus : onTheWay(glide.from.focus, target.focus), grid: target.grid, result: target.result, part };
}
