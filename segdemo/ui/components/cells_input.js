// Mouse, finger and keys on the stage, and numbers typed over.

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
  if (cell === null) return letGo(theatre);
  if (event.pointerType === "touch" && theatre.pinned === cell && canEdit(theatre, cell)) return editCell(theatre, cell);
  pin(theatre, cell);
}

function pin(theatre, cell) {
  if (theatre.pinned === cell) return;
  Object.assign(theatre, { playing: false, stands: true, growing: false, hover: null, pinned: cell });
  if (theatre.model.places.has(cell)) theatre.step = theatre.model.places.get(cell);
  show(theatre, true);
  speak(theatre);
  note(theatre);
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
  if (event.key === " ") { event.preventDefault(); return theatre.playing ? stop(theatre) : begin(theatre); }
  if (theatre.data.covered) return;
  const from = focused(theatre);
  if (event.key === "Enter") { event.preventDefault(); return editCell(theatre, from); }
  if (event.key === "Escape") return letGo(theatre);
  const next = walked(theatre.model, from, event.key);
  if (next === null) return;
  event.preventDefault();
  theatre.hover = null;
  pin(theatre, next);
}

function walked(model, from, key) {
  // The cell to which a key leads from another; null for any other key.
  const { g, row, col } = whereIs(model, from), grid = model.data.grids[g], count = model.data.grids.length;
  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  if (moves[key]) {
    const [down, right] = moves[key];
    return numberOf(model, g, Math.min(grid.rows - 1, Math.max(0, row + down)), Math.min(grid.columns - 1, Math.max(0, col + right)));
  }
  if (key === "Home") return model.starts[g];
  if (key === "End") return model.starts[g] + grid.values.length - 1;
  if (key !== "PageUp" && key !== "PageDown") return null;
  const other = (g + (key === "PageDown" ? 1 : count - 1)) % count, there = model.data.grids[other];
  return numberOf(model, other, Math.min(row, there.rows - 1), Math.min(col, there.columns - 1));
}

// ---- typing a number over ----------------------------------------------------------------------------------------------------------

function canEdit(theatre, cell) {
  return theatre.data.editable.includes(whereIs(theatre.model, cell).g) && !theatre.model.border.has(cell);
}

function numberTyped(text) {
  // As one writes a number, with a point or a comma; NaN for anything else, such as 0x10.
  const typed = text.trim().replace(",", ".").replace("−", "-");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(typed) ? Number(typed) : NaN;
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
    const value = numberTyped(input.value);
    input.remove();
    theatre.stage.focus({ preventScroll: true });
    if (keep && !Number.isFinite(value)) refuse(theatre);
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
