// What the theatre knows of a scene: cells numbered through all grids, what each is made of and what it feeds, and where the
// grids stand. Nothing here touches the page.

const GAP = 58, NARROW_GAP = 30, TITLE = 22, BETWEEN = 14, TABLE_GAP = 10, NARROW = 620;
const KERNEL_CELL = 42, LARGEST_CELL = 58, SMALLEST_CELL = 7;

function modelOf(data) {
  // starts[g] is the number of a grid's first cell. `outputs` maps a cell to its taps, `feeds` an input to [output, tap] pairs,
  // `meets` a weight to the inputs it is multiplied with.
  const starts = [];
  let total = 0;
  for (const grid of data.grids) { starts.push(total); total += grid.rows * grid.columns; }
  const outputs = new Map(), feeds = new Map(), meets = new Map(), order = [];
  let first = 0;
  data.cells.forEach(([cell, count, line]) => {
    outputs.set(cell, { first, count, line });
    order.push(cell);
    for (let tap = first; tap < first + count; tap++) {
      listed(feeds, data.at[tap]).push([cell, tap]);
      if (data.by[tap] >= 0) listed(meets, data.by[tap]).push(data.at[tap]);
    }
    first += count;
  });
  const sources = new Map(), border = new Set(), marked = new Set();
  data.grids.forEach((grid, g) => {
    (grid.border ?? []).forEach((cell, i) => {
      border.add(starts[g] + cell);
      if (grid.source) sources.set(starts[g] + cell, grid.source[i]);
    });
    (grid.marked ?? []).forEach((cell) => marked.add(starts[g] + cell));
  });
  const scatter = data.walk === "scatter";
  const steps = scatter ? [...feeds.keys()].sort((a, b) => a - b) : order;
  const places = new Map(steps.map((cell, i) => [cell, i]));
  const kernels = new Set(data.by.filter((cell) => cell >= 0).map((cell) => gridOf(starts, cell)));
  const corners = data.grids.map((grid, g) => cornerOf(grid, starts[g], border));
  return { data, starts, total, outputs, feeds, meets, sources, border, marked, corners, scatter, steps, places, kernels };
}

function cornerOf(grid, start, border) {
  // Row and column of the first cell that is no border: where PyTorch's tensor begins.
  if (!grid.border) return [0, 0];
  const inside = grid.values.findIndex((_value, i) => !border.has(start + i));
  return inside < 0 ? [0, 0] : [Math.floor(inside / grid.columns), inside % grid.columns];
}

function listed(map, key) {
  if (!map.has(key)) map.set(key, []);
  return map.get(key);
}

function gridOf(starts, cell) {
  let g = starts.length - 1;
  while (starts[g] > cell) g--;
  return g;
}

function whereIs(model, cell) {
  const g = gridOf(model.starts, cell), inside = cell - model.starts[g], { columns } = model.data.grids[g];
  return { g, row: Math.floor(inside / columns), col: inside % columns };
}

function numberOf(model, g, row, col) {
  return model.starts[g] + row * model.data.grids[g].columns + col;
}

function valueOf(model, cell) {
  const g = gridOf(model.starts, cell);
  return model.data.grids[g].values[cell - model.starts[g]];
}

function nameOf(model, cell) {
  // What stays the same when settings change: "output0_0:2:3".
  const { g, row, col } = whereIs(model, cell);
  return `${model.data.grids[g].key}:${row}:${col}`;
}

function named(model, name) {
  const [key, row, col] = (name ?? "").split(":"), g = model.data.grids.findIndex((grid) => grid.key === key);
  if (g < 0 || Number(row) >= model.data.grids[g].rows || Number(col) >= model.data.grids[g].columns) return null;
  return numberOf(model, g, Number(row), Number(col));
}

function litBy(model, cell) {
  // The inputs, weights and outputs that belong to a cell, each with the tap that connects them.
  const lit = { cell, inputs: new Map(), weights: new Map(), outputs: new Map() };
  const made = model.outputs.get(cell), { at, by } = model.data;
  if (made && !(model.scatter && model.feeds.has(cell))) {
    for (let tap = made.first; tap < made.first + made.count; tap++) {
      lit.inputs.set(at[tap], tap);
      if (by[tap] >= 0) lit.weights.set(by[tap], tap);
    }
  } else if (model.feeds.has(cell)) {
    for (const [output, tap] of model.feeds.get(cell)) {
      lit.outputs.set(output, tap);
      if (by[tap] >= 0) lit.weights.set(by[tap], tap);
    }
  } else if (model.meets.has(cell)) model.meets.get(cell).forEach((input) => lit.inputs.set(input, -1));
  return lit;
}

// ---- where the grids stand --------------------------------------------------------------------------------------------------

function columnsOf(data) {
  const columns = new Map();
  data.grids.forEach((grid, g) => {
    const [column, row] = grid.place ?? [g, 0];
    listed(columns, column).push([row, g]);
  });
  return [...columns.keys()].sort((a, b) => a - b).map((c) => columns.get(c).sort((a, b) => a[0] - b[0]).map(([, g]) => g));
}

function layoutOf(model, width, most) {
  // Boxes {x, y, cell, w, h} a grid, the products' box (or null), and the height of it all.
  const columns = columnsOf(model.data).map((grids) => ({ grids, kernel: grids.every((g) => model.kernels.has(g)) }));
  const flat = model.data.grids.every((grid) => grid.rows === 1);
  if (width < NARROW || (flat && columns.length > 1)) return stackedLayout(model, columns, width, flat);
  return sideLayout(model, columns, width, most);
}

function showsProducts(model) {
  // Only where all products of a cell come from one small kernel can they stand as a grid of their own.
  return !model.scatter && model.kernels.size === 1 && model.data.products.some((product) => product !== null);
}

function blockOf(model, column, across, cell) {
  // The size of a column whose grids stand in rows of `across`, and each grid's place in it.
  const places = [], { grids } = column, products = column.kernel && showsProducts(model), shown = products ? [...grids, grids[0]] : grids;
  const least = shown.length < 2 || products ? 0 : model.data.grids[grids[0]].tints ? 36 : 62; // pixels that a title needs
  let x = 0, y = 0, wide = 0, tallest = 0;
  shown.forEach((g, i) => {
    if (i && i % across === 0) { x = 0; y += tallest + BETWEEN; tallest = 0; }
    places.push([g, x, y]);
    x += Math.max(least, model.data.grids[g].columns * cell);
    wide = Math.max(wide, x);
    x += BETWEEN;
    tallest = Math.max(tallest, TITLE + model.data.grids[g].rows * cell);
  });
  return { places, w: wide, h: y + tallest, products };
}

function blocksAt(model, columns, across, cell, small) {
  return columns.map((column) => blockOf(model, column, column.kernel ? across[1] : column.grids.includes(0) ? across[0] : across[2], column.kernel ? small : cell));
}

function kernelSizes(model, small, cell) {
  // The sizes to try, largest first. A single small kernel is read number by number and keeps its room.
  const [g] = model.kernels, longest = g === undefined ? 1 : Math.max(model.data.grids[g].rows, model.data.grids[g].columns);
  return model.kernels.size === 1 ? [Math.max(cell > 24 ? small : 0, Math.min(38, Math.floor(170 / longest)))] : [...new Set([small, Math.min(small, Math.max(cell, 20)), Math.min(small, cell)])];
}

function gapsAfter(model, columns, width) {
  // Room to the right of each column; little between those of one table: tinted grids that are all inputs, or all outputs.
  const part = (column) => (column.grids.every((g) => model.data.grids[g].tints) ? String(model.outputs.has(model.starts[column.grids[0]])) : null);
  const near = columns.map((column, c) => c + 1 < columns.length && part(column) !== null && part(column) === part(columns[c + 1]));
  const gap = Math.min(GAP, ((near.includes(true) ? 0.15 : 0.24) * width) / (columns.length - near.filter(Boolean).length));
  return columns.map((_column, c) => (c + 1 === columns.length ? 0 : near[c] ? TABLE_GAP : gap));
}

function sideLayout(model, columns, width, most) {
  // The arrangement with the largest cells that fits; kernels, which are read most closely, are a little larger.
  const longest = Math.max(...columns.map((column) => column.grids.length)), tries = longest > 1 ? [1, 2, 3] : [1];
  const gaps = gapsAfter(model, columns, width), spaces = gaps.reduce((sum, gap) => sum + gap, 0);
  let best = null;
  for (const input of tries) for (const kernel of tries) for (const output of tries) {
    for (let cell = LARGEST_CELL; cell > (best?.cell ?? SMALLEST_CELL - 1); cell--) {
      const small = Math.min(KERNEL_CELL, Math.max(cell, Math.round(cell * 0.6 + 17)));
      for (const size of kernelSizes(model, small, cell)) {
        const blocks = blocksAt(model, columns, [input, kernel, output], cell, size);
        const used = blocks.reduce((sum, block) => sum + block.w, 0) + spaces;
        if (used <= width - 3 && Math.max(...blocks.map((block) => block.h)) <= most) { best = { cell, blocks, used, small: size }; break; }
      }
      if (best?.cell === cell) break;
    }
  }
  if (!best) { // as broad as there is room, however tall
    const blocks = blocksAt(model, columns, [1, 1, 1], 10, 20);
    best = { cell: 10, blocks, used: blocks.reduce((sum, block) => sum + block.w, 0) + spaces, small: 20 };
    if (best.used > width) return stackedLayout(model, columns, width, false);
  }
  const height = Math.max(...best.blocks.map((block) => block.h)), boxes = [];
  let products = null, x = Math.max(1, (width - best.used) / 2);
  best.blocks.forEach((block, c) => {
    const top = (height - block.h) / 2, cell = columns[c].kernel ? best.small : best.cell;
    block.places.forEach(([g, dx, dy], i) => {
      const box = boxAt(model, g, x + dx, top + dy + TITLE, cell);
      if (block.products && i === block.places.length - 1) products = box;
      else boxes[g] = box;
    });
    x += block.w + gaps[c];
  });
  return { boxes, products, width, height: height + 3, narrow: false };
}

function stackedLayout(model, columns, width, flat) {
  // Phones, and signals of one axis: a row a column of the wide drawing; what belongs to it stands side by side and wraps.
  const widest = (column) => Math.max(...column.grids.map((g) => model.data.grids[g].columns));
  const cell = Math.floor(Math.max(SMALLEST_CELL, Math.min(flat ? 56 : 34, ...columns.filter((column) => !column.kernel).map((column) => stackedCell(model, column, width, flat)))));
  const boxes = [];
  let products = null, y = 0;
  for (const column of columns) {
    const beside = column.kernel && showsProducts(model), room = (width - 4) / (widest(column) * (beside ? 2.3 : 1));
    const size = column.kernel ? Math.floor(Math.min(flat ? cell : 34, room, stackedCell(model, column, width, flat))) : cell, start = flat ? centred(model, column, size, beside, width) : 1;
    let x = start, tallest = 0;
    for (const g of column.grids) {
      const w = model.data.grids[g].columns * size;
      if (x > start && x + w > width) { x = start; y += tallest + BETWEEN; tallest = 0; }
      boxes[g] = boxAt(model, g, x, y + TITLE, size);
      tallest = Math.max(tallest, boxes[g].h + TITLE);
      x += Math.max(w, column.grids.length > 2 ? 62 : 96) + NARROW_GAP;
    }
    if (beside) products = boxAt(model, column.grids[0], flat ? x : Math.max(x, width / 2), y + TITLE, size);
    y += tallest + BETWEEN + (flat ? 14 : 4);
  }
  return { boxes, products, width, height: y, narrow: true };
}

function stackedCell(model, column, width, flat) {
  // Channels stand side by side where they are still read, so that input, kernel and output stay near each other.
  const broad = Math.max(...column.grids.map((g) => model.data.grids[g].columns));
  const beside = (count) => (width - 4 - (count - 1) * NARROW_GAP) / (count * broad);
  const even = column.grids.every((g) => model.data.grids[g].rows === model.data.grids[column.grids[0]].rows);
  if (flat || !even) return beside(1); // a matrix and the row of its sums stand under each other
  return [Math.min(3, column.grids.length), Math.min(2, column.grids.length), 1].map(beside).find((size) => size >= 12) ?? beside(1);
}

function centred(model, column, size, beside, width) {
  const widths = column.grids.map((g) => Math.max(96, model.data.grids[g].columns * size));
  const whole = beside ? 2 * widths[0] + NARROW_GAP : Math.max(...widths);
  return Math.max(1, (width - whole) / 2);
}

function boxAt(model, g, x, y, cell) {
  const { rows, columns } = model.data.grids[g];
  return { x: Math.round(x) + 0.5, y: Math.round(y) + 0.5, cell, w: columns * cell, h: rows * cell };
}

function rectOf(model, layout, cell) {
  const { g, row, col } = whereIs(model, cell), box = layout.boxes[g];
  return { x: box.x + col * box.cell, y: box.y + row * box.cell, w: box.cell, h: box.cell };
}

function around(rects) {
  const x = Math.min(...rects.map((r) => r.x)), y = Math.min(...rects.map((r) => r.y));
  return { x, y, w: Math.max(...rects.map((r) => r.x + r.w)) - x, h: Math.max(...rects.map((r) => r.y + r.h)) - y };
}

function cellAt(model, layout, x, y) {
  const g = layout.boxes.findIndex((box) => x >= box.x && y >= box.y && x < box.x + box.w && y < box.y + box.h);
  if (g < 0) return null;
  const box = layout.boxes[g];
  return numberOf(model, g, Math.floor((y - box.y) / box.cell), Math.floor((x - box.x) / box.cell));
}
