// Mouse, fingers and keys: what they do to the view, the probe and the blinking.

const SLOPPY = 5; // pixels; a finger that moves less has tapped

function listenTo(panes, { frame }) {
  const place = (event) => placeAt(panes.view, frame.getBoundingClientRect(), event.clientX, event.clientY);
  frame.addEventListener("wheel", (event) => {
    const whole = panes.view.zoom <= 1 && !event.ctrlKey;
    if (whole && (event.deltaY > 0 || (isScrolled(panes.grid) && !panes.grid.matches(":focus-within")))) return; // the page scrolls
    event.preventDefault();
    const { fx, fy } = place(event);
    panes.look(zoomedAt(panes.view, Math.exp(-Math.max(-120, Math.min(120, event.deltaY)) / 400), fx, fy));
  }, { passive: false });
  frame.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    frame.setPointerCapture(event.pointerId);
    panes.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY, startX: event.clientX, startY: event.clientY, moved: false });
  });
  frame.addEventListener("pointermove", (event) => {
    const finger = panes.fingers.get(event.pointerId);
    if (finger) dragged(panes, frame, event, finger);
    if (event.pointerType === "mouse") { const { fx, fy } = place(event); setProbe(panes, fx, fy); }
  });
  const lifted = (event) => { panes.fingers.delete(event.pointerId); frame.classList.remove("held"); };
  frame.addEventListener("pointerup", (event) => {
    const finger = panes.fingers.get(event.pointerId);
    if (finger && !finger.moved && panes.fingers.size === 1) tapped(panes, event, place(event));
    lifted(event);
  });
  frame.addEventListener("pointercancel", lifted);
  frame.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") { panes.probe = null; redraw(panes); } });
  frame.addEventListener("dblclick", (event) => { const { fx, fy } = place(event); panes.look(panes.view.zoom > 1 ? wholePicture() : zoomedAt(panes.view, 3, fx, fy)); });
}

function isScrolled(node) {
  // Whether anything around it is scrolled down: then the wheel first takes the page back up.
  for (; node; node = node.parentNode ?? node.host) if (node.scrollTop > 0) return true;
  return false;
}

function tapped(panes, event, { fx, fy }) {
  if (panes.layout === "blink" && event.pointerType === "mouse") { panes.setPlaying(false); flip(panes); }
  setProbe(panes, fx, fy);
}

function dragged(panes, frame, event, finger) {
  const box = frame.getBoundingClientRect(), others = [...panes.fingers.entries()].filter(([id]) => id !== event.pointerId);
  const dx = event.clientX - finger.x, dy = event.clientY - finger.y;
  if (Math.hypot(event.clientX - finger.startX, event.clientY - finger.startY) > SLOPPY) finger.moved = true;
  if (others.length) {
    // Two fingers: what lies between them grows with their distance and moves with their middle.
    const other = others[0][1];
    const before = Math.hypot(finger.x - other.x, finger.y - other.y), after = Math.hypot(event.clientX - other.x, event.clientY - other.y);
    const { fx, fy } = placeAt(panes.view, box, (event.clientX + other.x) / 2, (event.clientY + other.y) / 2);
    finger.moved = other.moved = true;
    panes.view = moved(zoomedAt(panes.view, after / Math.max(1, before), fx, fy), -dx / 2 / box.width, -dy / 2 / box.height);
  } else if (finger.moved && panes.view.zoom > 1) {
    frame.classList.add("held");
    panes.view = moved(panes.view, -dx / box.width, -dy / box.height);
  }
  [finger.x, finger.y] = [event.clientX, event.clientY];
  keep(panes);
  redraw(panes);
}

function pressed(panes, event) {
  const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (arrow && event.shiftKey) stepProbe(panes, ...arrow);
  else if (arrow && panes.view.zoom > 1) panes.look(moved(panes.view, arrow[0] * PAN_STEP, arrow[1] * PAN_STEP));
  else if (event.key === "+" || event.key === "=") panes.zoomBy(ZOOM_STEP);
  else if (event.key === "-") panes.zoomBy(1 / ZOOM_STEP);
  else if (event.key === "0") panes.look(wholePicture());
  else if (event.key === " ") panes.setPlaying(!panes.playing);
  else if (event.key === "Enter" && panes.layout === "blink") flip(panes);
  else if (event.key === "Escape" && panes.probe) { panes.probe = null; redraw(panes); }
  else return;
  event.preventDefault();
}

function pressedOnArrangement(panes, event) {
  // Who has just chosen blinking and presses space means the blinking, not the button that is pressed already.
  const chosen = event.target.dataset.value === "blink" && panes.layout === "blink";
  if (!chosen || event.key !== " " || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!event.repeat) panes.setPlaying(!panes.playing);
  event.preventDefault();
}

function stepProbe(panes, dx, dy) {
  // By a pixel where pixels are seen, else by a hundredth of the picture.
  const { width, height } = panes.data, { zoom, x, y } = panes.view;
  const step = Math.max(1, Math.round(Math.max(width, height) / 100 / zoom));
  const from = panes.probe ?? { fx: x, fy: y };
  const inside = (value, size) => (Math.min(size - 1, Math.max(0, value)) + 0.5) / size;
  panes.probe = { fx: inside(Math.floor(from.fx * width) + dx * step, width), fy: inside(Math.floor(from.fy * height) + dy * step, height) };
  sayProbe(panes);
  redraw(panes);
}
