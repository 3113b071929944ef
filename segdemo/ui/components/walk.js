// The walk: one thumbnail a stage, from the picture to the mask, at the places of the network's diagram. A click, or an
// arrow key, chooses a stage. Lines lie in one drawing under the thumbnails; on a narrow page all becomes a film strip.

const TALLEST = 400, LEAST = 56, MOST = 148, PAD = 8, LABEL = 33, TITLE = 17;
const FILM_BELOW = 640; // pixels of width
const RADIUS = 6.5, BEND = 7; // of the sign where inputs meet; of corners
const NEAR = 14, FAR = 26; // from the sign to its thumbnail, so that the thumbnail's label stays clear of what rises to it
const LOWER = 0.27; // how far off the middle the ways down and up leave a thumbnail
const ANSWER_MS = 2500; // how long a choice is shown before the server has confirmed it

function makeWalk(parent) {
  const root = parent.querySelector(".root");
  const edges = vector("svg", { class: "edges", "aria-hidden": "true" });
  const field = element("div", { class: "field" }, edges);
  const scroll = element("div", { class: "scroll" }, field);
  const [back, onward] = ["left", "right"].map((side) => element("button", { type: "button", class: `more ${side}`, tabindex: "-1", "aria-hidden": "true" }, arrowhead(side)));
  const frame = element("div", { class: "walk", role: "group" }, scroll, back, onward);
  const legend = element("div", { class: "key" });
  root.replaceChildren(frame, legend);
  const walk = { root, frame, scroll, field, edges, legend, back, onward, nodes: new Map(), data: null, chosen: null, asked: null, hovered: null, width: 0, choose: () => {} };
  listenTo(walk);
  return walk;
}

function arrowhead(side) {
  return vector("svg", { viewBox: "0 0 24 24", width: 20, height: 20 }, vector("path", { d: side === "left" ? "M15 5l-7 7 7 7" : "M9 5l7 7-7 7" }));
}

function listenTo(walk) {
  const { scroll, field } = walk;
  const step = (sign) => scroll.scrollBy({ left: sign * scroll.clientWidth * 0.7, behavior: calm() ? "auto" : "smooth" });
  walk.back.addEventListener("click", () => step(-1));
  walk.onward.addEventListener("click", () => step(1));
  scroll.addEventListener("scroll", () => showMore(walk), { passive: true });
  field.addEventListener("keydown", (event) => onKey(walk, event));
  new ResizeObserver(() => {
    const width = walk.frame.clientWidth;
    if (!walk.data || Math.abs(width - walk.width) < 1) return;
    place(walk);
    keepInView(walk, "auto");
  }).observe(walk.frame);
}

function onKey(walk, event) {
  const keys = walk.data.nodes.filter((node) => node.clickable).map((node) => node.key);
  const here = keys.indexOf(event.target.dataset?.key);
  if (here < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
  const step = { ArrowLeft: -1, PageUp: -1, ArrowRight: 1, PageDown: 1 }[event.key];
  const next = event.key === "Home" ? 0 : event.key === "End" ? keys.length - 1 : step ? here + step : null;
  if (next === null) return;
  event.preventDefault();
  const key = keys[Math.min(keys.length - 1, Math.max(0, next))];
  if (key === keys[here]) return;
  walk.nodes.get(key).node.focus({ preventScroll: true });
  choose(walk, key);
}

function choose(walk, key) {
  walk.asked = key;
  clearTimeout(walk.timer);
  walk.timer = setTimeout(() => { walk.asked = null; mark(walk, walk.data.chosen); }, ANSWER_MS);
  mark(walk, key);
  walk.send(key);
}

// ---- the thumbnails ----------------------------------------------------------------------------------------------

function syncNodes(walk) {
  const kept = new Set();
  let last = walk.edges;
  for (const item of walk.data.nodes) {
    let parts = walk.nodes.get(item.key);
    if (!parts || parts.clickable !== Boolean(item.clickable)) {
      parts?.node.remove();
      parts = makeNode(walk, item);
      walk.nodes.set(item.key, parts);
    }
    fill(parts, item);
    if (parts.node.previousElementSibling !== last) last.after(parts.node);
    last = parts.node;
    kept.add(item.key);
  }
  for (const [key, parts] of walk.nodes) {
    if (kept.has(key)) continue;
    parts.node.remove();
    walk.nodes.delete(key);
  }
}

function makeNode(walk, item) {
  const image = element("img", { alt: "", draggable: "false" });
  const cross = vector("svg", { class: "cross", viewBox: "0 0 16 16" }, vector("circle", { cx: 8, cy: 8, r: 8 }), vector("path", { d: "M5 5l6 6M11 5l-6 6" }));
  const picture = element("span", { class: "picture" }, image, cross);
  const title = element("span", { class: "title" }), note = element("span", { class: "note" });
  const node = item.clickable ? element("button", { type: "button", tabindex: "-1" }, picture, title, note) : element("div", { role: "img" }, picture, title, note);
  node.dataset.key = item.key;
  const hover = (key) => () => { walk.hovered = key; emphasise(walk); };
  node.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") hover(item.key)(); });
  node.addEventListener("pointerleave", hover(null));
  if (item.clickable) node.addEventListener("click", () => choose(walk, item.key));
  return { node, image, picture, title, note, clickable: Boolean(item.clickable) };
}

function fill(parts, item) {
  const tight = parts.node.classList.contains("tight") ? " tight" : "";
  parts.node.className = `node kind-${item.kind}${item.off ? " off" : ""}${tight}`;
  const hint = item.hint || [item.title, item.note].filter(Boolean).join(": ");
  if (parts.node.title !== hint) parts.node.title = hint;
  parts.node.setAttribute("aria-label", hint);
  if (parts.title.textContent !== item.title) parts.title.textContent = item.title;
  if (parts.note.textContent !== (item.note ?? "")) parts.note.textContent = item.note ?? "";
  const url = item.image ? absolute(item.image) : null;
  parts.image.classList.toggle("hidden", !url);
  if (url && parts.image.src !== url) parts.image.src = url; // the old picture stays until the new one is there
}

function mark(walk, key) {
  const moved = walk.chosen !== key;
  walk.chosen = key;
  const first = walk.data.nodes.find((node) => node.clickable)?.key;
  const stop = walk.nodes.get(key)?.clickable ? key : first;
  for (const [name, { node, clickable }] of walk.nodes) {
    node.classList.toggle("chosen", name === key);
    if (!clickable) continue;
    node.setAttribute("aria-current", String(name === key));
    node.tabIndex = name === stop ? 0 : -1;
  }
  emphasise(walk);
  if (moved) keepInView(walk, calm() ? "auto" : "smooth");
}

function emphasise(walk) {
  const centre = walk.hovered ?? walk.chosen;
  const near = new Set([centre]);
  for (const edge of walk.edges.querySelectorAll(".edge")) {
    const { from, to } = edge.dataset;
    const lit = from === centre || to === centre;
    edge.classList.toggle("lit", lit);
    if (lit) near.add(from).add(to);
  }
  for (const [key, { node }] of walk.nodes) node.classList.toggle("lit", near.has(key));
  walk.frame.classList.toggle("dim", walk.hovered !== null);
}

function keepInView(walk, behavior) {
  const at = walk.spots?.get(walk.chosen);
  const { scroll } = walk;
  if (!at || scroll.scrollWidth <= scroll.clientWidth) return;
  const margin = Math.min(90, scroll.clientWidth / 4), left = at.x - at.w / 2 - margin, right = at.x + at.w / 2 + margin;
  if (left < scroll.scrollLeft) scroll.scrollTo({ left, behavior });
  else if (right > scroll.scrollLeft + scroll.clientWidth) scroll.scrollTo({ left: right - scroll.clientWidth, behavior });
}

function showMore(walk) {
  const { scroll, frame } = walk;
  const left = scroll.scrollLeft > 4, right = scroll.scrollLeft + scroll.clientWidth < scroll.scrollWidth - 4;
  frame.classList.toggle("more-left", left);
  frame.classList.toggle("more-right", right);
}

// ---- where everything stands --------------------------------------------------------------------------------------

function place(walk) {
  const { data, frame, field, edges, nodes } = walk;
  walk.width = frame.clientWidth;
  if (!walk.width) return;
  const film = data.compact || walk.width < FILM_BELOW;
  const plan = film ? filmPlan(data, walk.width) : gridPlan(data, walk.width);
  walk.spots = plan.spots;
  frame.classList.toggle("film", film);
  frame.style.setProperty("--thumb-w", `${plan.w}px`);
  frame.style.setProperty("--thumb-h", `${plan.h}px`);
  field.style.width = `${plan.width}px`;
  field.style.height = `${plan.height}px`;
  for (const [key, spot] of plan.spots) {
    const { style, classList } = nodes.get(key).node;
    classList.toggle("tight", Boolean(spot.tight));
    style.left = `${spot.x - spot.label / 2}px`;
    style.top = `${spot.top}px`;
    style.width = `${spot.label}px`;
  }
  edges.setAttribute("width", plan.width);
  edges.setAttribute("height", plan.height);
  drawEdges(walk, plan);
  showMore(walk);
}

function between(data, edge) {
  // The thumbnails of the same row that a line passes.
  const of = new Map(data.nodes.map((node) => [node.key, node]));
  const a = of.get(edge.from), b = of.get(edge.to);
  if (!a || !b || a.row !== b.row) return 0;
  return data.nodes.filter((node) => node.row === a.row && node.column > a.column && node.column < b.column).length;
}

function gridPlan(data, available) {
  // The widest thumbnails for which the columns fit the page and the rows the height.
  const facts = gridFacts(data);
  let plan = null;
  for (let w = MOST; w >= facts.least; w -= 1) {
    plan = tryWidth(data, facts, w, w === facts.least);
    if (plan && plan.natural <= available) break;
  }
  const columns = plan.xs.length, spare = Math.max(0, Math.min((available - plan.natural) / Math.max(1, columns - 1), 90));
  const width = Math.max(available, plan.natural), start = (width - plan.natural - spare * (columns - 1)) / 2;
  const spots = new Map();
  for (const node of data.nodes) {
    const x = start + plan.xs[node.column] + spare * node.column;
    spots.set(node.key, spot(node, x, facts.above + node.row * plan.rowPitch, plan.w, plan.h, 0, plan.reach, facts.joined.has(node.key)));
  }
  for (const a of spots.values()) a.label = labelWidth(a, spots, width);
  for (const item of data.edges) {
    // An arc over its row passes under the thumbnails of the row above: their second line gives way to it.
    const a = spots.get(item.from), b = spots.get(item.to);
    if (!a || !b || a.row !== b.row || !between(data, item)) continue;
    for (const c of spots.values()) if (c.row === a.row - 1 && c.column > a.column && c.column < b.column) c.tight = true;
  }
  return { ...plan, spots, width, height: facts.above + (facts.rows - 1) * plan.rowPitch + plan.h + LABEL + 4, film: false };
}

function gridFacts(data) {
  const aspect = data.aspect || 1, of = new Map(data.nodes.map((node) => [node.key, node]));
  const rows = 1 + Math.max(...data.nodes.map((node) => node.row));
  const arcs = Array(rows).fill(0);
  for (const item of data.edges) if (of.has(item.from)) arcs[of.get(item.from).row] = Math.max(arcs[of.get(item.from).row], between(data, item));
  const pen = new OffscreenCanvas(1, 1).getContext("2d");
  pen.font = `600 12px ${getComputedStyle(document.body).fontFamily}`;
  const text = Math.max(...data.nodes.map((node) => Math.max(pen.measureText(node.title).width, 0.92 * pen.measureText(node.note ?? "").width))) + 8;
  return {
    aspect, rows, arcs, text,
    least: Math.round(Math.max(32, LEAST * Math.min(1, aspect))), // a tall picture may be narrower: it is high enough
    above: PAD + (arcs[0] ? rise(arcs[0]) + 4 : 0),
    stacked: data.nodes.some((a) => data.nodes.some((b) => a !== b && a.column === b.column && Math.abs(a.row - b.row) === 1)),
    // Skips that pass beside a thumbnail on their way up need a lane between the columns.
    lanes: data.edges.some((item) => item.kind === "skip" && of.get(item.from)?.row > of.get(item.to)?.row && of.get(item.to).column - of.get(item.from).column > 1),
    joined: new Set(data.edges.filter((item) => item.kind === "skip").map((item) => item.to)),
    nodes: [...data.nodes].sort((a, b) => a.column - b.column),
  };
}

function rise(passed) {
  return 4 + 5 * passed; // of an arc over so many thumbnails
}

function tryWidth(data, facts, w, last) {
  // Columns for thumbnails of this width, or null where the rows would be too high (the narrowest is always taken).
  const { aspect, rows, above, nodes } = facts, h = w / aspect;
  const inner = Math.max(0, ...facts.arcs.slice(1));
  const least = h + Math.max(facts.stacked ? LABEL + 10 : 14, inner ? TITLE + 2 + rise(inner) : 0);
  const allowed = rows > 1 ? (TALLEST - above - h - LABEL - 4) / (rows - 1) : Infinity;
  if (!last && (rows > 1 ? allowed < least : above + h + LABEL + 4 > TALLEST)) return null;
  const rowPitch = rows > 1 ? Math.max(least, Math.min(h + LABEL + 22, allowed)) : 0;
  const close = rowPitch < h + LABEL + 6; // a label reaches down beside the next row
  const reach = Math.min(FAR, Math.max(NEAR, (facts.text + 8 - w) / 2)), label = Math.min(facts.text, w + 2 * reach - 8);
  const xs = [], same = (node) => w + (facts.joined.has(node.key) ? reach + RADIUS + 8 : 22);
  for (const node of nodes) {
    let x = node.column > 0 ? (xs[node.column - 1] ?? 0) + (facts.lanes ? w + 10 : w / 2) + reach : PAD + w / 2;
    for (const other of nodes) {
      if (other.column >= node.column || xs[other.column] === undefined) continue;
      if (other.row === node.row) x = Math.max(x, xs[other.column] + same(node));
      else if (close && Math.abs(other.row - node.row) === 1) x = Math.max(x, xs[other.column] + w / 2 + label / 2 + 3);
    }
    xs[node.column] = Math.max(xs[node.column] ?? 0, x);
  }
  return { w, h, reach, rowPitch, xs, natural: xs[xs.length - 1] + w / 2 + PAD };
}

function labelWidth(a, spots, total) {
  // Up to the neighbours of its row, to what rises beside it, and to the edge.
  let width = Math.min(a.joined ? a.w + 2 * a.reach - 8 : a.w + 60, 2 * a.x, 2 * (total - a.x));
  for (const b of spots.values()) if (b !== a && b.row === a.row) width = Math.min(width, Math.abs(a.x - b.x) - 4);
  for (const b of spots.values()) if (b.joined && b.row < a.row && b.gate > a.right) width = Math.min(width, 2 * (b.gate - a.x) - 5);
  return Math.max(width, a.w);
}

function spot(node, x, top, w, h, label, reach, joined) {
  return { ...node, x, top, w, h, label, reach, joined, y: top + h / 2, left: x - w / 2, right: x + w / 2, bottom: top + h, gate: x - w / 2 - reach };
}

function filmPlan(data, available) {
  const aspect = data.aspect || 1, spacing = 22;
  const index = new Map(data.nodes.map((node, i) => [node.key, i]));
  const arcs = data.edges
    .filter((edge) => index.has(edge.from) && index.has(edge.to) && (edge.kind === "skip" || index.get(edge.to) - index.get(edge.from) !== 1))
    .map((edge) => ({ ...edge, low: index.get(edge.from), high: index.get(edge.to), level: 0 }))
    .sort((a, b) => a.high - a.low - (b.high - b.low));
  arcs.forEach((arc, i) => {
    const under = arcs.slice(0, i).filter((other) => other.low < arc.high && arc.low < other.high);
    arc.level = Math.max(0, ...under.map((other) => other.level + 1));
  });
  const levels = arcs.length ? 1 + Math.max(...arcs.map((arc) => arc.level)) : 0;
  const step = Math.min(7, 44 / Math.max(1, levels));
  const above = PAD + (levels ? 8 + step * levels : 0);
  const tallest = data.compact ? 120 : 132;
  const w = Math.max(LEAST, Math.min(112, tallest * aspect, available >= FILM_BELOW ? (available - 2 * PAD + spacing) / data.nodes.length - spacing : 104));
  const h = w / aspect, pitch = w + spacing;
  const natural = 2 * PAD + (data.nodes.length - 1) * pitch + w;
  const start = Math.max(0, (available - natural) / 2) + PAD + w / 2;
  const spots = new Map(data.nodes.map((node, i) => [node.key, spot(node, start + i * pitch, above, w, h, pitch - 5, NEAR, false)]));
  return { spots, w, h, width: Math.max(available, natural), height: above + h + LABEL + 4, film: true, arcs, step, above };
}

// ---- lines ---------------------------------------------------------------------------------------------------------

function drawEdges(walk, plan) {
  const { data, edges } = walk;
  const drawn = plan.film ? filmEdges(data, plan) : gridEdges(data, plan);
  edges.replaceChildren(...drawn);
  emphasise(walk);
}

function edge(item, source, path, head) {
  const line = vector("path", { d: path, class: "line" });
  const group = vector("g", { class: `edge ${item.kind} from-${source.kind}${item.join === "indices" ? " dashed" : ""}${item.off ? " off" : ""}` }, line);
  group.dataset.from = item.from;
  group.dataset.to = item.to;
  if (head) group.append(tip(...head));
  if (item.off) {
    const middle = line.getPointAtLength(line.getTotalLength() / 2);
    group.append(vector("g", { class: "stop", transform: `translate(${middle.x} ${middle.y})` }, vector("circle", { r: 6 }), vector("path", { d: "M-3 -3L3 3M3 -3L-3 3" })));
  }
  return group;
}

function tip(x, y, direction) {
  const turn = { right: 0, down: 90, up: -90 }[direction];
  return vector("path", { class: "tip", d: "M0 0L-6.5 -3.4V3.4z", transform: `translate(${x} ${y}) rotate(${turn})` });
}

function gridEdges(data, plan) {
  const lines = [], over = []; // the main way lies over the skips, the signs over both
  for (const item of data.edges) {
    const a = plan.spots.get(item.from), b = plan.spots.get(item.to);
    if (!a || !b) continue;
    const passed = between(data, item);
    if (item.kind === "skip") lines.unshift(edge(item, a, skipPath(a, b, passed), null));
    else lines.push(edge(item, a, ...mainPath(a, b, passed)));
  }
  for (const b of plan.spots.values()) {
    const item = data.edges.find((candidate) => candidate.to === b.key && candidate.kind === "skip");
    if (item) over.push(edge({ from: b.key, to: b.key, kind: "main" }, b, `M${b.gate + RADIUS} ${b.y}H${b.left - 3}`, [b.left - 2, b.y, "right"]), sign(b, item.join));
  }
  return [...lines, ...over];
}

function mainPath(a, b, passed) {
  const end = b.joined ? b.gate : b.left - 2;
  if (a.row === b.row && !passed) {
    return b.joined ? [`M${a.right} ${a.y}H${b.gate - RADIUS}`, null] : [`M${a.right} ${a.y}H${end - 2}`, [end, a.y, "right"]];
  }
  if (a.row === b.row) return [overPath(a, b, passed), null];
  if (b.row > a.row) {
    const out = a.y + LOWER * a.h;
    return [`M${a.right} ${out}H${b.x - BEND}q${BEND} 0 ${BEND} ${BEND}V${b.top - 4}`, [b.x, b.top - 2, "down"]];
  }
  const out = a.y - LOWER * a.h, start = upwards(a, b, out);
  if (b.joined) return [`${start}V${b.y + RADIUS}`, null];
  return [`${start}V${b.y + BEND}q0 ${-BEND} ${BEND} ${-BEND}H${end - 2}`, [end, b.y, "right"]];
}

function upwards(a, b, out) {
  // Left of b, from the top of a where that lies below, otherwise from its side.
  if (b.gate <= a.right - 5) return `M${b.gate} ${a.top}`;
  const bend = Math.min(BEND, Math.max(0, b.gate - a.right));
  return `M${Math.min(a.right, b.gate)} ${out}H${b.gate - bend}q${bend} 0 ${bend} ${-bend}`;
}

function skipPath(a, b, passed) {
  if (a.row === b.row && !passed) return `M${a.right} ${a.y}H${b.gate - RADIUS}`;
  if (a.row === b.row) return overPath(a, b, passed);
  if (b.row < a.row && b.gate <= a.right + 10) return `${upwards(a, b, a.y)}V${b.y + RADIUS}`;
  if (b.row < a.row) return `M${a.right} ${a.y}C${b.gate - 6} ${a.y} ${b.gate} ${a.y} ${b.gate} ${b.y + RADIUS}`; // right along its row, then up
  const dx = b.gate - a.right, end = b.y - RADIUS, dy = end - a.y; // a quarter of an ellipse through the inside of the U
  return `M${a.right} ${a.y}C${a.right + 0.6 * dx} ${a.y} ${b.gate} ${end - 0.6 * dy} ${b.gate} ${end}`;
}

function overPath(a, b, passed) {
  const top = a.top - rise(passed), x = b.joined ? b.gate : b.x, end = b.joined ? b.y - RADIUS : b.top;
  const from = a.x + a.w * 0.2;
  return `M${from} ${a.top}V${top + BEND}q0 ${-BEND} ${BEND} ${-BEND}H${x - BEND}q${BEND} 0 ${BEND} ${BEND}V${end}`;
}

function sign(b, join) {
  const d = { sum: "M-4 0h8M0 -4v8", indices: "M-3.5 -3.5h7v7h-7zM0 -3.5v7M-3.5 0h7" }[join] ?? "M-2 -3.6v7.2M2 -3.6v7.2";
  const group = vector("g", { class: "edge sign", transform: `translate(${b.gate} ${b.y})` }, vector("circle", { r: RADIUS }), vector("path", { d }));
  group.dataset.from = group.dataset.to = b.key;
  return group;
}

function filmEdges(data, plan) {
  const order = data.nodes.map((node) => node.key);
  const arcs = plan.arcs.map((arc) => {
    const a = plan.spots.get(arc.from), b = plan.spots.get(arc.to);
    const top = plan.above - 8 - plan.step * (arc.level + 1), from = a.x + 0.22 * a.w, to = b.x - 0.22 * b.w, r = 6;
    return edge(arc, a, `M${from} ${a.top}V${top + r}q0 ${-r} ${r} ${-r}H${to - r}q${r} 0 ${r} ${r}V${b.top - 4}`, [to, b.top - 1, "down"]);
  });
  const straight = data.edges
    .filter((item) => item.kind === "main" && order.indexOf(item.to) - order.indexOf(item.from) === 1)
    .map((item) => {
      const a = plan.spots.get(item.from), b = plan.spots.get(item.to);
      return edge(item, a, `M${a.right + 4} ${a.y}H${b.left - 6}`, [b.left - 4, a.y, "right"]);
    });
  return [...arcs, ...straight];
}

// ---- the key to colours and signs -----------------------------------------------------------------------------------

function drawKey(walk) {
  const entries = walk.data.legend ?? [];
  walk.legend.classList.toggle("hidden", !entries.length);
  walk.legend.replaceChildren(...entries.map((item) => {
    const mark = item.kind ? element("i", { class: `kind-${item.kind}` }) : vector("svg", { viewBox: "-9 -9 18 18", width: 16, height: 16, "aria-hidden": "true" }, sign({ gate: 0, y: 0, key: "" }, item.join));
    return element("span", {}, mark, element("span", { text: item.text }));
  }));
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const walk = stateOf(parentElement, () => makeWalk(parentElement));
  walk.send = (key) => setTriggerValue("chosen", key);
  const first = walk.data === null;
  walk.data = data;
  walk.frame.setAttribute("aria-label", data.label);
  const shape = JSON.stringify([data.aspect, data.compact, data.nodes.map((node) => [node.key, node.title, node.note, node.kind, node.column, node.row, node.clickable]), data.edges]);
  syncNodes(walk);
  if (shape !== walk.shape) place(walk);
  walk.shape = shape;
  const legend = JSON.stringify(data.legend ?? []);
  if (legend !== walk.legendText) drawKey(walk);
  walk.legendText = legend;
  if (walk.asked === data.chosen) walk.asked = null;
  mark(walk, walk.asked !== null && walk.nodes.has(walk.asked) ? walk.asked : data.chosen);
  if (first) keepInView(walk, "auto");
  walk.root.dataset.ready = data.chosen ?? "";
}
