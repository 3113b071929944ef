// The whole picture, small, with a frame around the patch that is shown large: dragged, clicked to, or moved with the arrows.

const TELL_MS = 220; // after the last arrow key
const LAYERS = ["under", "between", "over"]; // of an outline, from the widest line to the narrowest
const SMALL_FRAME = 24, RING = 15; // pixels on the screen: the side of a frame below which a ring shows where it is, its radius

function makePatch(parent) {
  const root = parent.querySelector(".root");
  const image = element("img", { alt: "", draggable: "false" });
  const squares = LAYERS.map((name) => vector("rect", { class: name })), rings = LAYERS.map((name) => vector("circle", { class: name }));
  const lines = vector("svg", { "aria-hidden": "true" }, ...squares, ...rings);
  const frame = element("div", { class: "frame", tabindex: "0", role: "application" }, image, lines);
  const patch = { root, frame, image, lines, squares, rings, data: null, at: null, held: false, send: null, timer: 0 };
  root.replaceChildren(frame, element("p", { class: "hint" }));
  frame.addEventListener("pointerdown", (event) => { patch.held = true; frame.setPointerCapture(event.pointerId); follow(patch, event); });
  frame.addEventListener("pointermove", (event) => { if (patch.held) follow(patch, event); });
  frame.addEventListener("pointerup", () => { if (patch.held) { patch.held = false; tell(patch, 0); } });
  frame.addEventListener("pointercancel", () => { patch.held = false; adopt(patch); });
  patch.sizes = new ResizeObserver(() => { if (patch.at) draw(patch); });
  patch.sizes.observe(frame);
  frame.addEventListener("keydown", (event) => onKey(patch, event));
  return patch;
}

function room({ data }) {
  return { x: Math.max(1, data.width - data.side), y: Math.max(1, data.height - data.side) };
}

function follow(patch, event) {
  const box = patch.frame.getBoundingClientRect(), { width, height, side } = patch.data, most = room(patch);
  const share = (pointed, whole, space) => Math.min(100, Math.max(0, Math.round((100 * (pointed * whole - side / 2)) / space)));
  patch.at = { down: share((event.clientY - box.top) / box.height, height, most.y), right: share((event.clientX - box.left) / box.width, width, most.x) };
  draw(patch);
}

function onKey(patch, event) {
  const way = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  if (!way || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const step = event.shiftKey ? 10 : 1, moved = (from, by) => Math.min(100, Math.max(0, from + step * by));
  patch.at = { down: moved(patch.at.down, way[0]), right: moved(patch.at.right, way[1]) };
  draw(patch);
  tell(patch, TELL_MS);
}

function tell(patch, delay) {
  clearTimeout(patch.timer);
  patch.timer = setTimeout(() => { patch.timer = 0; patch.send("moved", patch.at); }, delay);
}

function adopt(patch) {
  if (patch.held || patch.timer) return; // a newer place is still on its way to the server
  patch.at = { down: patch.data.down, right: patch.data.right };
  draw(patch);
}

function placed(shape, places) {
  for (const [name, value] of Object.entries(places)) shape.setAttribute(name, value);
}

function draw({ root, frame, data, at, lines, squares, rings }) {
  const most = room({ data }), scale = (frame.clientWidth || data.width) / data.width, { side } = data; // a popover has no width at first
  const x = (at.right / 100) * (data.width > side ? most.x : 0), y = (at.down / 100) * (data.height > side ? most.y : 0);
  lines.setAttribute("viewBox", `0 0 ${data.width} ${data.height}`);
  squares.forEach((square) => placed(square, { x, y, width: side, height: side }));
  rings.forEach((ring) => placed(ring, { cx: x + side / 2, cy: y + side / 2, r: RING / scale }));
  lines.classList.toggle("small", side * scale < SMALL_FRAME);
  root.dataset.at = `${at.down} ${at.right}`;
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const patch = stateOf(parentElement, () => makePatch(parentElement));
  patch.send = (name, value) => setTriggerValue(name, value);
  patch.data = data;
  if (patch.image.getAttribute("src") !== data.image) patch.image.setAttribute("src", data.image);
  patch.frame.style.aspectRatio = `${data.width} / ${data.height}`;
  patch.frame.style.width = `min(100%, ${Math.round((data.tallest * data.width) / data.height)}px)`;
  patch.frame.setAttribute("aria-label", `${data.label}. ${data.hint}`);
  patch.root.querySelector(".hint").textContent = data.hint;
  adopt(patch);
  patch.root.dataset.ready = "1";
  return () => { patch.sizes.disconnect(); clearTimeout(patch.timer); states.delete(parentElement); };
}
