// Where the grids of a scene stand: side by side on a wide stage, under each other on a phone. Nothing here touches the page.

const GAP = 58, CLOSER = 0.55, NARROW_GAP = 30, TITLE = 22, BETWEEN = 14, TABLE_GAP = 10, KERNEL_GAP = 22, NARROW = 620;
const KERNEL_CELL = 42, LARGEST_CELL = 58, SMALLEST_CELL = 7, SMALLEST_KERNEL = 10, SMALL_ON_PHONE = 12;
const LARGEST_ON_PHONE = 34, TALLEST_ABOVE = 250; // pixels of a cell; of input and kernel
const LARGEST_OF_TABLE = 56, TALLEST_OF_TABLE = 240, PICTURE_GAP = 8; // pixels, on a phone
const LETTER = 6.6; // pixels of a title's letter, on average
const NO_NUMBERS = 1, NO_PRODUCTS = 0.5, LITTLE_GAP = 0.06, KERNELS_SHARE = 0.6; // what counts, beside the logarithm of a cell's side

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
  const columns = columnsOf(model.data).map((grids) => ({ grids, role: grids.every((g) => model.kernels.has(g)) ? "kernel" : grids.includes(0) ? "input" : "output" }));
  const flat = model.data.grids.every((grid) => grid.rows === 1);
  if (flat && columns.length > 1) return stackedLayout(model, columns, width, true);
  if (width < NARROW) return phoneLayout(model, columns, width) ?? stackedLayout(model, columns, width, false);
  return sideLayout(model, columns, width, most);
}

function showsProducts(model) {
  // Only where all products of a cell come from one small kernel can they stand as a grid of their own.
  return !model.scatter && model.kernels.size === 1 && model.data.products.some((product) => product !== null);
}

function titlesOf(grid) {
  // What can stand above a grid, from the whole title to the least that still tells it from the others.
  return [grid.title, grid.short ?? grid.title.split(", ").at(-1)];
}

function titleWidth(model, g) {
  return model.data.grids[g].tints ? 36 : LETTER * titlesOf(model.data.grids[g])[1].length;
}

// ---- side by side ---------------------------------------------------------------------------------------------------------------

function blockOf(model, grids, { across, products, titled }, cell) {
  // The size of a column whose grids stand in rows of `across`, and each grid's place in it. products: a grid more, of that
  // size; titled: each is as wide as its title.
  const places = [], shown = products ? [...grids, grids[0]] : grids;
  let x = 0, y = 0, wide = 0, tallest = 0;
  shown.forEach((g, i) => {
    if (i && i % across === 0) { x = 0; y += tallest + BETWEEN; tallest = 0; }
    places.push([g, x, y]);
    x += Math.max(titled ? titleWidth(model, g) : 0, model.data.grids[g].columns * cell);
    wide = Math.max(wide, x);
    x += BETWEEN;
    tallest = Math.max(tallest, TITLE + model.data.grids[g].rows * cell);
  });
  return { places, w: wide, h: y + tallest, cell, products };
}

function variantsOf(model, columns, least, largest, most, titled) {
  // Of the columns of one role: each arrangement in every size that is not too tall, [size] → {blocks, w}, sizes from 0.
  if (!columns.length) return [{ sizes: [{ blocks: [], w: 0, cell: 0 }], worth: 0 }];
  const longest = Math.max(...columns.map((column) => column.grids.length)), products = columns[0].role === "kernel" && showsProducts(model);
  const ways = products ? [[1, true], [2, true], [1, false]] : [1, 2, 3, 4].filter((n) => n === 1 || n <= longest).map((n) => [n, false]);
  return ways.map(([across, more]) => {
    const way = { across, products: more, titled };
    const sizes = [];
    for (let cell = least; cell <= largest; cell++) {
      const blocks = columns.map((column) => blockOf(model, column.grids, way, cell));
      if (blocks.some((block) => block.h > most)) break;
      sizes.push({ blocks, w: blocks.reduce((sum, block) => sum + block.w, 0), cell });
    }
    return { sizes, worth: products && !more ? -NO_PRODUCTS : 0 };
  });
}

function gapsAfter(model, columns, width, share) {
  // Room to the right of each column; little between those of one table: tinted grids that are all inputs, or all outputs.
  const part = (column) => (column.grids.every((g) => model.data.grids[g].tints) ? String(model.outputs.has(model.starts[column.grids[0]])) : null);
  const near = columns.map((column, c) => c + 1 < columns.length && part(column) !== null && part(column) === part(columns[c + 1]));
  const gap = share * Math.min(GAP, ((near.includes(true) ? 0.15 : 0.24) * width) / (columns.length - near.filter(Boolean).length));
  const kernels = (c) => columns[c].role === "kernel" && columns[c + 1].role === "kernel";
  return columns.map((_column, c) => (c + 1 === columns.length ? 0 : near[c] ? TABLE_GAP : kernels(c) ? Math.min(gap, KERNEL_GAP) : gap));
}

function legible(size, least) {
  // How well a cell of that side is read: twice as large is always the same gain, and there is one where numbers find room.
  return Math.log(size) - (size < least ? NO_NUMBERS : 0);
}

function bestSizes(model, columns, width, most, titled) {
  // Arrangement and sizes with which the numbers are read best. Inputs and outputs have one size, kernels one of their own.
  // Every role is laid out by itself, once a size; then what fits together is looked for, from the largest kernel down.
  const of = (role) => columns.filter((column) => column.role === role), least = Math.min(...model.least.filter((_side, g) => !model.kernels.has(g)));
  const inputs = variantsOf(model, of("input"), SMALLEST_CELL, LARGEST_CELL, most, titled), outputs = variantsOf(model, of("output"), SMALLEST_CELL, LARGEST_CELL, most, titled);
  const kernels = variantsOf(model, of("kernel"), SMALLEST_KERNEL, KERNEL_CELL, most, titled), leastOfKernels = Math.min(...[...model.kernels].map((g) => model.least[g]));
  let best = null;
  for (const share of [1, CLOSER]) {
    const gaps = gapsAfter(model, columns, width, share), room = width - 3 - gaps.reduce((sum, gap) => sum + gap, 0);
    for (const input of inputs) for (const output of outputs) for (const kernel of kernels) {
      const single = output.sizes.length === 1 && !output.sizes[0].cell, fits = (n) => input.sizes[n].w + (single ? 0 : output.sizes[n].w);
      const count = Math.min(input.sizes.length, single ? input.sizes.length : output.sizes.length);
      for (let k = kernel.sizes.length - 1, n = -1; k >= 0; k--) {
        const middle = kernel.sizes[k];
        while (n + 1 < count && fits(n + 1) + middle.w <= room) n++;
        if (n < 0) continue;
        const { cell } = input.sizes[n];
        if (model.kernels.size > 1 && middle.cell > Math.max(cell, 0.6 * cell + 17)) continue; // one of many is no larger than it has to be
        const score = legible(cell, least) + kernel.worth + (middle.cell ? KERNELS_SHARE * legible(middle.cell, leastOfKernels) : 0) - (share < 1 ? LITTLE_GAP : 0);
        if (!best || score > best.score + 1e-9) best = { score, gaps, input: input.sizes[n], output: single ? output.sizes[0] : output.sizes[n], kernel: middle };
      }
    }
  }
  return best;
}

function sideLayout(model, columns, width, most) {
  const best = bestSizes(model, columns, width, most, true) ?? bestSizes(model, columns, width, most, false) ?? asTallAsNeeded(model, columns, width);
  const taken = { input: 0, kernel: 0, output: 0 }, blocks = columns.map(({ role }) => best[role].blocks[taken[role]++]);
  const used = blocks.reduce((sum, block) => sum + block.w, 0) + best.gaps.reduce((sum, gap) => sum + gap, 0);
  if (used > width) return stackedLayout(model, columns, width, false);
  const height = Math.max(...blocks.map((block) => block.h)), boxes = [];
  let products = null, x = Math.max(1, (width - used) / 2);
  blocks.forEach((block, c) => {
    const top = (height - block.h) / 2;
    block.places.forEach(([g, dx, dy], i) => {
      const box = boxAt(model, g, x + dx, top + dy + TITLE, block.cell);
      if (block.products && i === block.places.length - 1) products = box;
      else boxes[g] = box;
    });
    x += block.w + best.gaps[c];
  });
  return { boxes, products, width, height: height + 3 };
}

function asTallAsNeeded(model, columns, width) {
  const at = (role, cell) => ({ blocks: columns.filter((column) => column.role === role).map((column) => blockOf(model, column.grids, { across: 1 }, cell)) });
  return { gaps: gapsAfter(model, columns, width, 1), input: at("input", 10), kernel: at("kernel", 20), output: at("output", 10) };
}

function phoneLayout(model, columns, width) {
  // The one kernel and its products beside the input, the output under both; null where numbers would find no room.
  const upper = columns.filter(({ role }) => role !== "output"), lower = columns.filter(({ role }) => role === "output");
  if (model.kernels.size !== 1 || upper.length !== 2 || !lower.length) return null;
  const above = sideLayout(model, upper, width, TALLEST_ABOVE), cell = above.boxes[0].cell;
  if (cell < model.least[0] || above.height > TALLEST_ABOVE + 3) return null;
  const below = stackedLayout(model, lower, width, false, cell);
  const right = Math.max(...below.boxes.filter(Boolean).map((box) => box.x + box.w)), aside = Math.max(0, Math.min(above.boxes[0].x - 1, width - 2 - right));
  below.boxes.forEach((box, g) => { above.boxes[g] = { ...box, x: box.x + aside, y: box.y + above.height + BETWEEN }; });
  return { ...above, height: above.height + BETWEEN + below.height };
}

// ---- under each other -----------------------------------------------------------------------------------------------------------

function stackedLayout(model, columns, width, flat, largest = LARGEST_ON_PHONE) {
  // Phones, and signals of one axis: a row a column of the wide drawing; what belongs to it stands side by side and wraps.
  const widest = (column) => Math.max(...column.grids.map((g) => model.data.grids[g].columns)), table = !flat && model.data.grids.some((grid) => grid.tints);
  const alike = columns.filter((column) => column.role !== "kernel" && !isBand(model, column));
  const cell = Math.floor(Math.max(SMALLEST_CELL, Math.min(flat ? 56 : largest, ...alike.map((column) => stackedCell(model, column, width, flat)))));
  const boxes = [];
  let products = null, y = 0;
  for (const column of table ? joined(model, columns) : columns) {
    const beside = column.role === "kernel" && showsProducts(model), room = (width - 4) / (widest(column) * (beside ? 2.3 : 1)), band = !flat && isBand(model, column);
    const own = column.role === "kernel" ? Math.min(flat ? cell : LARGEST_ON_PHONE, room, stackedCell(model, column, width, flat)) : table ? tableCell(model, column, width) : band ? bandCell(model, column, width) : cell;
    const size = Math.floor(own), gap = band ? PICTURE_GAP : NARROW_GAP, start = flat ? centred(model, column, size, beside, width) : 1;
    let x = start, tallest = 0;
    for (const g of column.grids) {
      const w = model.data.grids[g].columns * size;
      const wide = band ? w : Math.max(w, titleWidth(model, g));
      if (x > start && x + wide > width) { x = start; y += tallest + BETWEEN; tallest = 0; }
      boxes[g] = boxAt(model, g, x, y + TITLE, size);
      tallest = Math.max(tallest, boxes[g].h + TITLE);
      x += wide + gap;
    }
    if (beside) products = boxAt(model, column.grids[0], flat ? x : Math.max(x, width / 2), y + TITLE, size);
    y += tallest + BETWEEN + (flat ? 14 : 4);
  }
  return { boxes, products, width, height: y };
}

function isBand(model, column) {
  // Channels of a picture, which stand in one row however small: colours are seen where numbers are not read.
  return column.role !== "kernel" && column.grids.length > 1 && column.grids.every((g) => model.data.grids[g].kind === "picture");
}

function bandCell(model, { grids }, width) {
  const broad = grids.reduce((sum, g) => sum + model.data.grids[g].columns, 0);
  return Math.max(SMALLEST_CELL, Math.min(LARGEST_ON_PHONE, (width - 4 - (grids.length - 1) * PICTURE_GAP) / broad));
}

function joined(model, columns) {
  // Neighbouring columns of a table whose grids have the same sizes, as rows: the first grid of each, the second of each.
  const sizes = ({ grids }) => String(grids.map((g) => [model.data.grids[g].rows, model.data.grids[g].columns])), groups = [];
  for (const column of columns) {
    const last = groups.at(-1);
    if (last && column.role !== "kernel" && last[0].role !== "kernel" && sizes(last[0]) === sizes(column)) last.push(column);
    else groups.push([column]);
  }
  return groups.flatMap((group) => (group.length === 1 ? group : group[0].grids.map((_g, i) => ({ role: group[0].role, grids: group.map(({ grids }) => grids[i]) }))));
}

function tableCell(model, { grids }, width) {
  // As few lines as numbers leave, and then cells as large as these lines take.
  const broad = Math.max(...grids.map((g) => model.data.grids[g].columns)), tall = Math.max(...grids.map((g) => model.data.grids[g].rows));
  const largest = Math.min(LARGEST_OF_TABLE, Math.max(READABLE_DECIMALS, TALLEST_OF_TABLE / tall));
  const ways = [1, 2, 3, 4].filter((n) => n <= grids.length).map((n) => ({ lines: Math.ceil(grids.length / n), side: (width - 4 - (n - 1) * NARROW_GAP) / (n * broad) }));
  const read = ways.filter(({ side }) => side >= READABLE_DECIMALS), [best] = (read.length ? read : ways).sort((a, b) => a.lines - b.lines || b.side - a.side);
  return Math.max(SMALLEST_CELL, Math.min(largest, read.length ? best.side : ways[0].side));
}

function stackedCell(model, column, width, flat) {
  // Channels stand side by side where they are still read, so that input, kernel and output stay near each other.
  const broad = Math.max(...column.grids.map((g) => model.data.grids[g].columns));
  const beside = (count) => (width - 4 - (count - 1) * NARROW_GAP) / (count * broad);
  const even = column.grids.every((g) => model.data.grids[g].rows === model.data.grids[column.grids[0]].rows);
  if (flat || !even) return beside(1); // a matrix and the row of its sums stand under each other
  const sizes = [4, 3, 2, 1].filter((n) => n <= column.grids.length).map(beside);
  return sizes.find((size) => size >= READABLE) ?? sizes.find((size) => size >= SMALL_ON_PHONE) ?? beside(1);
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

function lowered(layout, by, height) {
  // The same drawing further down, on a stage of that height.
  const moved = (box) => box && { ...box, y: box.y + by };
  return { ...layout, boxes: layout.boxes.map(moved), products: moved(layout.products), height };
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
