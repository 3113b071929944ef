// A network line by line: blocks as wide as their channels and as high as their resolution, and under them a table of the
// same lines with what each costs. A line is chosen in either, by mouse, touch or arrow keys; the page then edits it.

const LABEL = 11.5, LETTER = 6, ROW = 16, LEAST_SCALE = 0.62; // height, width and distance of labels; no drawing gets smaller
const MANY = 10, EDGE = 8, GAP = 9, TALLEST = 118, LOWER = 30, TOP = 26, BOTTOM = 22;

function blockSize(row, tallest, first, few) {
  // Widths follow the logarithm, so that 3 and 1024 channels both can be seen, heights the root.
  const [channels, height] = row.shape.length === 3 ? row.shape : [1, row.shape[0]];
  const width = row.shape.length === 3 ? (5 + 2 * Math.log2(1 + channels)) * (few ? 1.7 : 1) : 7;
  const share = row.shape.length === 3 ? Math.sqrt(Math.min(1, height / first)) : Math.min(1, Math.log2(1 + height) / 12);
  return [width, Math.max(6, tallest * share)];
}

function placed(rows, space) {
  // Blocks side by side; networks that come up again stand as a U, each halving a step lower. Few blocks have their shapes
  // under them: on one height, or where that is wider than the space on two, in turn.
  const done = rows.filter((row) => row.shape), first = Math.max(1, ...done.filter((row) => row.shape.length === 3).map((row) => row.shape[1]));
  const deep = done.some((row) => row.enlarges), tallest = deep ? 84 : TALLEST, few = rows.length <= MANY;
  const levels = done.map((row) => (deep && row.shape.length === 3 ? Math.max(0, Math.round(Math.log2(first / row.shape[1]))) : 0));
  const sizes = rows.map((row) => (row.shape ? blockSize(row, tallest, first, few) : [16, 40]));
  const labels = rows.map((row) => (few ? Math.max(38, LETTER * (row.shape ? row.shapeText.length : 1)) : 0));
  const steps = (share, less) => sizes.map(([width], n) => Math.max(width, share * labels[n] - less));
  const alone = steps(1, 0), staggered = few && alone.reduce((sum, step) => sum + step + GAP, 2 * EDGE) > space;
  const step = staggered ? steps(0.5, GAP - 3) : alone, needed = step.reduce((sum, one) => sum + one + GAP, 0) + labels[0] / 2;
  const gap = GAP + (staggered ? Math.max(0, space - needed) / (rows.length + 1) : 0); // evenly over all the space there is
  let x = Math.max(EDGE, (labels[0] - step[0]) / 2);
  const blocks = rows.map((row, n) => {
    const [width, height] = sizes[n], level = levels[n] ?? levels.at(-1) ?? 0;
    const block = { row, n, width, height, x: x + step[n] / 2, y: TOP + tallest / 2 + level * LOWER };
    x += step[n] + gap;
    return block;
  });
  const lowest = Math.max(...blocks.map((block) => block.y + block.height / 2), TOP + tallest), last = rows.length - 1;
  blocks.forEach((block, n) => { block.labelY = (staggered ? lowest + (n % 2 ? ROW : 0) : block.y + block.height / 2) + ROW; });
  const width = Math.max(x - gap, blocks[last].x + labels[last] / 2) + EDGE;
  return { blocks, width, height: lowest + (few ? BOTTOM + (staggered ? ROW : 0) : 8), few };
}

function arcs(blocks) {
  // Skips rise above what lies between their ends, one that would run along another a little higher.
  const taken = [];
  const joining = blocks.filter((block) => Number.isInteger(block.row.joins)).sort((a, b) => a.n - a.row.joins - (b.n - b.row.joins));
  return joining.map((block) => {
    const from = blocks[block.row.joins], between = blocks.slice(from.n, block.n + 1);
    let top = Math.min(...between.map((other) => other.y - other.height / 2)) - 7;
    while (taken.some((other) => other.first < block.n && from.n < other.last && Math.abs(other.top - top) < 5)) top -= 6;
    taken.push({ first: from.n, last: block.n, top });
    const [x1, y1, x2, y2] = [from.x, from.y - from.height / 2, block.x, block.y - block.height / 2];
    const r = Math.min(5, Math.abs(x2 - x1) / 2);
    const d = `M${x1} ${y1}V${top + r}Q${x1} ${top} ${x1 + r} ${top}H${x2 - r}Q${x2} ${top} ${x2} ${top + r}V${y2}`;
    return vector("path", { d, class: block.row.shape || block.row.covered ? "skip" : "skip broken" });
  });
}

function drawn(walk, data) {
  const space = walk.drawing.clientWidth || 700, layout = placed(data.rows, space), { blocks } = layout;
  const scale = layout.few ? 1 : Math.min(1, Math.max(space / layout.width, LEAST_SCALE)); // a label stays as large as it is
  const svg = vector("svg", { viewBox: `0 0 ${layout.width} ${layout.height}`, width: Math.floor(layout.width * scale), height: Math.ceil(layout.height * scale), role: "presentation", "font-size": LABEL / scale });
  for (let n = 1; n < blocks.length; n++) {
    if (data.rows[n].takes) continue;
    const [a, b] = [blocks[n - 1], blocks[n]];
    svg.append(vector("path", { class: "flow", d: `M${a.x + a.width / 2} ${a.y}L${b.x - b.width / 2} ${b.y}` }));
  }
  svg.append(...arcs(blocks));
  for (const block of blocks) svg.append(blockOf(walk, block, layout));
  return svg;
}

function blockOf(walk, block, layout) {
  const { row, n, x, y, width, height } = block;
  const group = vector("g", { class: row.shape ? "block" : row.covered ? "block asked" : "block missing", role: "option", id: `block${n}`, "aria-label": `${n + 1} ${row.text}`, "aria-current": "false" },
    vector("title", { text: `${n + 1}  ${row.text}${row.shape ? `  →  ${row.shapeText}` : ""}` }),
    vector("rect", { x: x - Math.max(width, 14) / 2, y: y - height / 2 - 4, width: Math.max(width, 14), height: height + 8, fill: "transparent" }),
    vector("rect", { class: "body", x: x - width / 2, y: y - height / 2, width, height, rx: 2.5, fill: row.colour }));
  if (row.covered) group.append(vector("text", { x, y: y + 4, text: "?" }));
  else if (layout.few && row.shape) group.append(vector("text", { x, y: block.labelY, text: row.shapeText }));
  group.addEventListener("click", () => choose(walk, n));
  group.addEventListener("pointerenter", (event) => came(walk, event) && tell(walk, n));
  group.addEventListener("pointerleave", () => tell(walk, walk.at));
  return group;
}

function came(walk, event) {
  // A mouse that moved here; a block that was drawn anew under a mouse at rest gets the same event.
  const { x, y } = walk.pointer, moved = Math.abs(event.screenX - x) + Math.abs(event.screenY - y) >= 1;
  walk.pointer = { x: event.screenX, y: event.screenY };
  return moved && event.pointerType === "mouse";
}

function cost(text, share) {
  return element("td", { class: "cost", role: "gridcell" }, element("span", { text }), element("u", { style: `width: ${share > 0 ? Math.max(1.5, 100 * share) : 0}%` }));
}

function rowOf(walk, row, n) {
  const text = element("td", { class: "text", role: "gridcell" }, element("i", { style: `background: ${row.colour}` }), document.createTextNode(row.text));
  const line = element("tr", { role: "row", tabindex: "-1", "aria-selected": "false" }, element("td", { role: "gridcell", text: String(n + 1) }), text);
  if (row.wrong) { line.className = "wrong"; line.append(element("td", { class: "why", role: "gridcell", colspan: "5", text: row.wrong })); }
  else if (!row.shape && !row.covered) { line.className = "unreached"; line.append(element("td", { class: "why", role: "gridcell", colspan: "5", text: "…" })); }
  else {
    line.append(element("td", { class: "shape", role: "gridcell", text: row.shapeText }), cost(row.params, row.paramsShare), cost(row.memory, row.memoryShare),
      cost(row.macs, row.macsShare), element("td", { role: "gridcell", text: row.sees }));
  }
  line.addEventListener("click", () => choose(walk, n));
  line.addEventListener("keydown", (event) => onKey(walk, event, { ArrowDown: n + 1, ArrowUp: n - 1 }, true));
  return line;
}

function onKey(walk, event, moves, follow) {
  // follow: the focus goes along, from row to row of the table.
  const to = { ...moves, Home: 0, End: walk.data.rows.length - 1 }[event.key];
  if (to === undefined || to < 0 || to >= walk.data.rows.length) return;
  event.preventDefault();
  walk.focus = follow;
  choose(walk, to);
}

function choose(walk, at) {
  if (at === walk.at) return;
  mark(walk, at);
  say(walk);
  walk.asked.push(at);
  walk.send("chosen", at);
}

function say(walk) {
  // Aloud is only what was chosen or changed, never what the mouse passes.
  const text = walk.line.textContent;
  if (walk.said.textContent !== text) walk.said.textContent = text;
}

function mark(walk, at) {
  walk.at = at;
  const rows = [...walk.table.querySelectorAll("tbody tr")];
  rows.forEach((row, n) => { row.setAttribute("aria-selected", String(n === at)); row.tabIndex = n === at ? 0 : -1; });
  walk.drawing.querySelectorAll("g.block").forEach((block, n) => { block.setAttribute("aria-current", String(n === at)); block.setAttribute("aria-selected", String(n === at)); });
  walk.drawing.setAttribute("aria-activedescendant", `block${at}`);
  if (walk.focus && rows[at]) rows[at].focus({ preventScroll: true });
  if (rows[at]) showRow(walk.table, rows[at]);
  reveal(walk.drawing, walk.drawing.querySelector(`#block${at}`));
  tell(walk, at);
}

function newest(walk, chosen) {
  // Where answers come later than keys are pressed, the page's line is one of a moment ago.
  const at = walk.asked.indexOf(chosen), late = at >= 0 ? at < walk.asked.length - 1 : walk.asked.length > 0 && chosen === walk.known;
  walk.asked = late ? walk.asked.slice(at + 1) : [];
  walk.known = chosen;
  return late ? walk.at : chosen;
}

function reveal(box, block) {
  // A drawing wider than its box is moved so far that the block is in sight.
  if (!block) return;
  const [frame, own] = [box.getBoundingClientRect(), block.getBoundingClientRect()];
  if (own.left < frame.left) box.scrollLeft += own.left - frame.left - EDGE;
  else if (own.right > frame.right) box.scrollLeft += own.right - frame.right + EDGE;
}

function tell(walk, at) {
  const row = walk.data.rows[at];
  if (!row) return walk.line.replaceChildren();
  const says = row.wrong || row.says;
  walk.line.replaceChildren(element("b", { text: `${at + 1}  ${row.title}` }), document.createTextNode(says), ...(row.note ? [element("small", { text: row.note })] : []));
}

function makeWalk(root) {
  const drawing = element("div", { class: "drawing", tabindex: "0", role: "listbox" }), line = element("div", { class: "line" }), said = element("div", { class: "said", role: "status" });
  const key = element("div", { class: "key" }), table = element("div", { class: "table" });
  const note = element("div", { class: "note" });
  root.replaceChildren(note, drawing, key, line, said, table);
  const walk = { root, note, drawing, line, said, key, table, data: null, at: 0, focus: false, send: null, asked: [], known: null, width: 0, pointer: { x: -1, y: -1 } };
  drawing.addEventListener("pointermove", (event) => came(walk, event));
  drawing.addEventListener("keydown", (event) => onKey(walk, event, { ArrowRight: walk.at + 1, ArrowLeft: walk.at - 1 }, false));
  table.addEventListener("focusout", () => { walk.focus = false; });
  walk.observer = new ResizeObserver(() => {
    if (!walk.data || walk.width === drawing.clientWidth) return;
    walk.width = drawing.clientWidth;
    drawing.replaceChildren(drawn(walk, walk.data));
    mark(walk, walk.at);
  });
  walk.observer.observe(root);
  return walk;
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const root = parentElement.querySelector(".root"), walk = stateOf(root, () => makeWalk(root)), { words } = data;
  const focused = walk.focus || walk.table.contains(parentElement.getRootNode().activeElement), scrolled = walk.table.scrollTop, first = !walk.data;
  const left = walk.drawing.scrollLeft;
  Object.assign(walk, { data, send: setTriggerValue, width: walk.drawing.clientWidth });
  root.style.setProperty("--broken", data.broken);
  root.style.setProperty("--join", data.join);
  walk.drawing.setAttribute("aria-label", data.label);
  walk.drawing.replaceChildren(drawn(walk, data));
  walk.drawing.scrollLeft = left;
  walk.key.replaceChildren(...data.legend.map((item) => element("span", {}, ...(item.colour ? [element("i", { style: `background: ${item.colour}` })] : []), document.createTextNode(item.text))));
  const heads = ["#", words.line, words.shape, words.params, words.memory, words.macs, words.sees];
  const head = element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...heads.map((text) => element("th", { text, role: "columnheader", scope: "col" }))));
  const body = element("tbody", { role: "rowgroup" }, ...data.rows.map((row, n) => rowOf(walk, row, n)));
  const totals = ["", words.total, "", data.total.params, data.total.memory, data.total.macs, ""].map((text) => element("td", { text, role: "gridcell" }));
  const foot = element("tfoot", { role: "rowgroup" }, element("tr", { role: "row" }, ...totals));
  walk.table.replaceChildren(element("table", { role: "grid", "aria-label": data.label }, head, body, foot));
  walk.table.scrollTop = scrolled;
  walk.focus = focused;
  mark(walk, Math.min(newest(walk, data.chosen), data.rows.length - 1));
  if (!first) say(walk);
  root.classList.toggle("stale", data.stale);
  walk.note.textContent = data.stale ? words.stale : "";
  root.dataset.ready = "";
  return () => { walk.observer.disconnect(); states.delete(root); };
}
