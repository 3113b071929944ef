// The mosaic: all channels of one stage in one picture. Hovering says which channel and which place it is; a click, or
// Enter after the arrow keys, chooses a channel. The rings lie over the picture, so that nothing is drawn again.

const TALLEST = 520, COMFORTABLE = 34, TOUCHABLE = 22, LARGEST = 150; // pixels: of the window; of a cell on the page
const EDGE = 6; // of the window, with its border: room for a ring

function makeMosaic(parent) {
  const root = parent.querySelector(".root");
  const image = element("img", { alt: "", draggable: "false" });
  const marks = vector("svg", { class: "marks", "aria-hidden": "true", preserveAspectRatio: "none" });
  const chosen = element("div", { class: "ring chosen", role: "option", "aria-selected": "true", id: "chosen" });
  const cursor = element("div", { class: "ring cursor", role: "option", "aria-selected": "false", id: "cursor" });
  const sheet = element("div", { class: "sheet", role: "listbox", tabindex: "0" }, image, marks, chosen, cursor);
  const scroll = element("div", { class: "scroll" }, sheet);
  const tip = element("div", { class: "tip hidden", "aria-hidden": "true" });
  const said = element("div", { class: "said", role: "status" });
  const hint = element("div", { class: "hint" });
  const frame = element("div", { class: "mosaic" }, scroll, tip);
  root.replaceChildren(frame, hint, said);
  const mosaic = { root, frame, scroll, sheet, image, marks, chosen, cursor, tip, said, hint, data: null, at: 0, asked: null, scale: 1 };
  listenTo(mosaic);
  return mosaic;
}

function listenTo(mosaic) {
  const { sheet, scroll, frame } = mosaic;
  sheet.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") hover(mosaic, event); });
  sheet.addEventListener("pointerleave", () => leave(mosaic));
  sheet.addEventListener("click", (event) => {
    const found = cellAt(mosaic, event);
    if (!found) return;
    hover(mosaic, event);
    choose(mosaic, found.index, found.x, found.y);
  });
  sheet.addEventListener("keydown", (event) => onKey(mosaic, event));
  sheet.addEventListener("focus", () => { if (sheet.matches(":focus-visible")) moveTo(mosaic, mosaic.at); });
  sheet.addEventListener("blur", () => leave(mosaic));
  scroll.addEventListener("scroll", () => mosaic.tip.classList.add("hidden"), { passive: true });
  new ResizeObserver(() => { if (mosaic.data) fit(mosaic); }).observe(frame);
}

function box(data, index) {
  // A cell's rectangle in pixels of the picture.
  const { columns, cellWidth, cellHeight, gap } = data;
  const outer = data.margin ?? Math.max(0, (data.width - columns * cellWidth - (columns - 1) * gap) / 2);
  const over = data.margin ?? Math.max(0, (data.height - data.rows * cellHeight - (data.rows - 1) * gap) / 2);
  return { left: outer + (index % columns) * (cellWidth + gap), top: over + Math.floor(index / columns) * (cellHeight + gap), width: cellWidth, height: cellHeight };
}

function cellAt(mosaic, event) {
  const { data, sheet } = mosaic;
  const page = sheet.getBoundingClientRect();
  const px = ((event.clientX - page.left) / page.width) * data.width, py = ((event.clientY - page.top) / page.height) * data.height;
  const first = box(data, 0);
  const column = Math.floor((px - first.left + data.gap / 2) / (data.cellWidth + data.gap)), row = Math.floor((py - first.top + data.gap / 2) / (data.cellHeight + data.gap));
  const index = row * data.columns + column;
  if (column < 0 || row < 0 || column >= data.columns || index >= data.order.length) return null;
  const cell = box(data, index), inside = (value) => Math.min(0.9999, Math.max(0, value));
  return { index, x: inside((px - cell.left) / cell.width), y: inside((py - cell.top) / cell.height) };
}

function hover(mosaic, event) {
  const found = cellAt(mosaic, event);
  if (!found) return leave(mosaic);
  ring(mosaic, mosaic.cursor, found.index);
  const frame = mosaic.frame.getBoundingClientRect();
  showTip(mosaic, found.index, found, event.clientX - frame.left, event.clientY - frame.top);
}

function leave(mosaic) {
  mosaic.cursor.classList.add("hidden");
  mosaic.tip.classList.add("hidden");
}

function texts(data, index, place) {
  const channel = data.order[index], words = data.words ?? {};
  const title = filled(words.channel ?? "#{channel}", { channel });
  const spot = place && filled(words.place ?? "({row}, {column})", { row: Math.floor(place.y * (data.mapHeight ?? data.cellHeight)), column: Math.floor(place.x * (data.mapWidth ?? data.cellWidth)) });
  return { title, rest: [spot, data.notes?.[index]].filter(Boolean) };
}

function showTip(mosaic, index, place, x, y) {
  const { tip, frame, data } = mosaic;
  const { title, rest } = texts(data, index, place);
  tip.replaceChildren(element("b", { text: title }), ...rest.map((text) => element("span", { text })));
  tip.classList.remove("hidden");
  const left = x + 14 + tip.offsetWidth > frame.clientWidth ? x - 14 - tip.offsetWidth : x + 14;
  tip.style.left = `${Math.min(Math.max(0, left), Math.max(0, frame.clientWidth - tip.offsetWidth))}px`;
  tip.style.top = `${y + 16 + tip.offsetHeight > frame.clientHeight ? y - 12 - tip.offsetHeight : y + 16}px`;
}

function ring(mosaic, node, index) {
  const cell = box(mosaic.data, index), { width, height } = mosaic.data;
  node.classList.remove("hidden");
  Object.assign(node.style, {
    left: `${(100 * cell.left) / width}%`, top: `${(100 * cell.top) / height}%`,
    width: `${(100 * cell.width) / width}%`, height: `${(100 * cell.height) / height}%`,
  });
  const { title, rest } = texts(mosaic.data, index, null);
  node.setAttribute("aria-label", [title, ...rest].join(", "));
  node.setAttribute("aria-posinset", String(index + 1));
  node.setAttribute("aria-setsize", String(mosaic.data.order.length));
}

// ---- keys ------------------------------------------------------------------------------------------------------------

function onKey(mosaic, event) {
  const { data } = mosaic;
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    return choose(mosaic, mosaic.at, 0.5, 0.5);
  }
  const page = Math.max(1, Math.floor(TALLEST / ((data.cellHeight + data.gap) * mosaic.scale))) * data.columns;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -data.columns, ArrowDown: data.columns, PageUp: -page, PageDown: page }[event.key];
  const last = data.order.length - 1;
  let next = event.key === "Home" ? 0 : event.key === "End" ? last : step ? mosaic.at + step : null;
  if (next === null) return;
  event.preventDefault();
  if (next < 0) next = Math.abs(step) === page ? mosaic.at % data.columns : mosaic.at;
  if (next > last) next = Math.floor(mosaic.at / data.columns) < Math.floor(last / data.columns) ? last : mosaic.at; // the last row may be short
  moveTo(mosaic, next);
}

function moveTo(mosaic, index) {
  mosaic.at = Math.min(index, mosaic.data.order.length - 1);
  ring(mosaic, mosaic.cursor, mosaic.at);
  mosaic.sheet.setAttribute("aria-activedescendant", "cursor");
  reveal(mosaic, mosaic.at);
  const cell = mosaic.cursor.getBoundingClientRect(), frame = mosaic.frame.getBoundingClientRect();
  showTip(mosaic, mosaic.at, null, cell.left - frame.left + cell.width / 2, cell.bottom - frame.top - 8);
  const { title, rest } = texts(mosaic.data, mosaic.at, null);
  mosaic.said.textContent = [title, ...rest].join(", ");
}

function reveal(mosaic, index) {
  const { scroll, scale, data } = mosaic, cell = box(data, index), margin = 12;
  const top = cell.top * scale - margin, bottom = (cell.top + cell.height) * scale + margin;
  if (top < scroll.scrollTop) scroll.scrollTop = top;
  else if (bottom > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = bottom - scroll.clientHeight;
  const left = cell.left * scale - margin, right = (cell.left + cell.width) * scale + margin;
  if (left < scroll.scrollLeft) scroll.scrollLeft = left;
  else if (right > scroll.scrollLeft + scroll.clientWidth) scroll.scrollLeft = right - scroll.clientWidth;
}

function choose(mosaic, index, x, y) {
  mosaic.at = index;
  mosaic.sheet.setAttribute("aria-activedescendant", "chosen");
  ring(mosaic, mosaic.chosen, index);
  mosaic.send({ channel: mosaic.data.order[index], x, y });
}

// ---- size ------------------------------------------------------------------------------------------------------------

function fit(mosaic) {
  // All of it where its cells stay comfortable, otherwise the whole width and a window to scroll in.
  const { data, frame, sheet, scroll } = mosaic;
  const available = frame.clientWidth - 2 * EDGE;
  if (available <= 0) return;
  const wide = available / data.width, whole = Math.min(wide, TALLEST / data.height, (data.order.length < 4 ? TALLEST : LARGEST) / data.cellWidth);
  let scale = data.cellWidth * whole >= COMFORTABLE ? whole : Math.min(wide, Math.max(whole, COMFORTABLE / data.cellWidth));
  scale = Math.max(scale, TOUCHABLE / data.cellWidth);
  mosaic.scale = scale;
  sheet.style.width = `${data.width * scale}px`;
  sheet.style.height = `${data.height * scale}px`;
  mosaic.root.classList.toggle("pixelated", Boolean(data.pixelated) && scale > 1);
  scroll.classList.toggle("scrolls", data.height * scale > TALLEST + 1);
}

function drawMarks(mosaic) {
  const { data, marks } = mosaic;
  marks.setAttribute("viewBox", `0 0 ${data.width} ${data.height}`);
  const dead = new Set(data.marked ?? []);
  marks.replaceChildren(...data.order.flatMap((channel, index) => {
    if (!dead.has(channel)) return [];
    const { left, top, width, height } = box(data, index);
    const stripes = [0.33, 0.66, 1, 1.34, 1.67].map((f) => {
      const x1 = Math.min(1, f), y1 = Math.max(0, f - 1);
      return `M${left + x1 * width} ${top + y1 * height}L${left + y1 * width} ${top + x1 * height}`;
    });
    const x = left + width / 2, y = top + height / 2, r = 0.14 * Math.min(width, height);
    return [
      vector("rect", { x: left, y: top, width, height, class: "veil" }), vector("path", { d: stripes.join(""), class: "stripes" }),
      vector("path", { d: `M${x - r} ${y - r}L${x + r} ${y + r}M${x + r} ${y - r}L${x - r} ${y + r}`, class: "dead" }),
    ];
  }));
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const mosaic = stateOf(parentElement, () => makeMosaic(parentElement));
  const before = mosaic.data;
  mosaic.send = (unit) => setTriggerValue("unit", unit);
  mosaic.data = data;
  mosaic.sheet.setAttribute("aria-label", data.label);
  mosaic.image.alt = data.label;
  const url = absolute(data.image);
  if (mosaic.image.src !== url) mosaic.image.src = url;
  mosaic.hint.textContent = data.hint ?? "";
  mosaic.hint.classList.toggle("hidden", !data.hint);
  const grid = JSON.stringify([data.width, data.height, data.columns, data.rows, data.cellWidth, data.cellHeight, data.gap, data.order, data.marked]);
  if (grid !== mosaic.grid) {
    fit(mosaic);
    drawMarks(mosaic);
    leave(mosaic);
  }
  mosaic.grid = grid;
  const index = data.order.indexOf(data.chosen);
  if (index >= 0) ring(mosaic, mosaic.chosen, index);
  else mosaic.chosen.classList.add("hidden");
  if (index >= 0 && (!before || before.chosen !== data.chosen || before.image !== data.image)) {
    mosaic.at = index;
    reveal(mosaic, index);
  } else if (index < 0 && mosaic.at >= data.order.length) mosaic.at = 0;
  mosaic.root.dataset.ready = data.image;
}
