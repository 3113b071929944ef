// What the theatre knows of a scene: cells numbered through all grids, what each is made of and what it feeds. Nothing here
// touches the page.

const READABLE = 17, READABLE_DECIMALS = 24, READABLE_ON_PICTURES = 30; // pixels of a cell that has room for its number

function leastSide({ kind, values }) {
  // From which side on the cells of a grid show their numbers.
  if (kind === "picture") return READABLE_ON_PICTURES;
  if (kind === "count") return READABLE_DECIMALS; // of many digits, and many cells
  return values.some((value) => typeof value === "number" && !Number.isInteger(value)) ? READABLE_DECIMALS : READABLE;
}

function modelOf(data) {
  // starts[g] is the number of a grid's first cell. `outputs` maps a cell to its taps, `feeds` an input to [output, tap] pairs,
  // `meets` a weight to the inputs it is multiplied with.
  const starts = [];
  let cells = 0;
  for (const grid of data.grids) { starts.push(cells); cells += grid.rows * grid.columns; }
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
  const told = new Map(data.told);
  const corners = data.grids.map((grid, g) => cornerOf(grid, starts[g], border));
  return { data, starts, least: data.grids.map(leastSide), outputs, feeds, meets, sources, border, marked, told, corners, scatter, steps, places, kernels };
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
