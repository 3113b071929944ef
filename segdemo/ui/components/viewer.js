// The before/after viewer: the picture on the left of a divider, its segmentation on the right. Everything a visitor
// does here (slide, hover, isolate a class) is drawn in the browser; nothing is asked of the server.

const KEY_STEP = 2; // percent of the width an arrow key moves the divider

function makeViewer(parent) {
  const root = parent.querySelector(".root");
  const image = element("img", { draggable: "false" });
  const canvas = element("canvas", { "aria-hidden": "true" });
  const divider = element("div", { class: "divider", role: "slider", tabindex: "0", "aria-valuemin": "0", "aria-valuemax": "100" });
  const before = element("span", { class: "tag left" });
  const after = element("span", { class: "tag right" });
  const probe = element("div", { class: "probe hidden", role: "status" });
  const frame = element("div", { class: "frame" }, image, canvas, before, after, divider, probe);
  const legend = element("div", { class: "legend", role: "group" });
  root.replaceChildren(element("div", { class: "stage" }, frame), legend);
  const viewer = { image, canvas, divider, before, after, probe, frame, legend, root, split: 35, hovered: null, pinned: null, data: null, labels: null, probs: null };
  listen(viewer);
  return viewer;
}

function listen(viewer) {
  const { divider, frame } = viewer;
  const toPercent = (event) => {
    const box = frame.getBoundingClientRect();
    return (100 * (event.clientX - box.left)) / box.width;
  };
  let dragging = false;
  divider.addEventListener("pointerdown", (event) => { dragging = true; divider.setPointerCapture(event.pointerId); event.preventDefault(); divider.focus(); });
  divider.addEventListener("pointermove", (event) => { if (dragging) setSplit(viewer, toPercent(event)); });
  for (const name of ["pointerup", "pointercancel"]) divider.addEventListener(name, () => { dragging = false; });
  divider.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -KEY_STEP, ArrowDown: -KEY_STEP, ArrowRight: KEY_STEP, ArrowUp: KEY_STEP, PageDown: -20, PageUp: 20 }[event.key];
    const target = event.key === "Home" ? 0 : event.key === "End" ? 100 : step ? viewer.split + step : null;
    if (target === null) return;
    setSplit(viewer, target);
    event.preventDefault();
  });
  frame.addEventListener("pointermove", (event) => { if (!dragging) showProbe(viewer, event); });
  frame.addEventListener("pointerdown", (event) => showProbe(viewer, event));
  frame.addEventListener("pointerleave", () => viewer.probe.classList.add("hidden"));
}

function setSplit(viewer, percent) {
  viewer.split = Math.min(100, Math.max(0, percent));
  viewer.divider.style.left = `${viewer.split}%`;
  viewer.divider.setAttribute("aria-valuenow", String(Math.round(viewer.split)));
  viewer.canvas.style.clipPath = `inset(0 0 0 ${viewer.split}%)`;
  viewer.before.classList.toggle("hidden", viewer.split < 12);
  viewer.after.classList.toggle("hidden", viewer.split > 88);
}

function paint(viewer) {
  const { data, labels, canvas } = viewer;
  if (!labels) return;
  const { width, height, data: source } = labels;
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const target = context.createImageData(width, height);
  const only = viewer.hovered ?? viewer.pinned;
  const reach = Math.max(1, Math.round(Math.max(width, height) / 600));
  for (let i = 0, y = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i += 4) {
      const label = source[i];
      const info = data.classes[label];
      if (!info) continue;
      const chosen = only === null ? label > 0 : label === only;
      if (!chosen) {
        if (only !== null) target.data[i + 3] = 150; // everything else goes dark
        continue;
      }
      if (label === 0) continue;
      if (data.contour && !isBorder(source, width, height, x, y, reach)) continue;
      target.data[i] = info.color[0];
      target.data[i + 1] = info.color[1];
      target.data[i + 2] = info.color[2];
      target.data[i + 3] = data.contour ? 255 : Math.round(255 * data.opacity);
    }
  }
  context.putImageData(target, 0, 0);
}

function probed(viewer, fx, fy) {
  // Rows of {label, probability} under the pointer, likeliest first.
  const { data, probs, labels } = viewer;
  const at = (pixels) => {
    const x = Math.min(pixels.width - 1, Math.floor(fx * pixels.width));
    const y = Math.min(pixels.height - 1, Math.floor(fy * pixels.height));
    return (y * pixels.width + x) * 4;
  };
  const label = labels.data[at(labels)];
  if (data.errors) return [{ label, probability: null }];
  if (!probs) return [{ label, probability: null }];
  return likeliest(probs, data.binary, fx, fy);
}

function showProbe(viewer, event) {
  const { data, labels, probe, frame } = viewer;
  if (!labels || !data) return;
  const box = frame.getBoundingClientRect();
  const fx = (event.clientX - box.left) / box.width, fy = (event.clientY - box.top) / box.height;
  if (fx < 0 || fy < 0 || fx >= 1 || fy >= 1) { probe.classList.add("hidden"); return; }
  const rows = probed(viewer, fx, fy).map(({ label, probability }) => {
    const info = data.classes[label] ?? { name: "?", color: [128, 128, 128] };
    const swatch = element("span", { class: "swatch" });
    if (label > 0) swatch.style.background = rgb(info.color);
    const value = probability === null ? "" : `${Math.round(100 * probability)} %`;
    return element("div", { class: "row" }, swatch, element("span", { text: info.name }), element("b", { text: value }));
  });
  const place = `x ${Math.floor(fx * data.fullWidth)}, y ${Math.floor(fy * data.fullHeight)}`;
  probe.replaceChildren(...rows, element("div", { class: "place", text: place }));
  probe.classList.remove("hidden");
  const left = event.clientX - box.left + (fx > 0.65 ? -16 - probe.offsetWidth : 16);
  const top = Math.min(event.clientY - box.top + 12, box.height - probe.offsetHeight - 4);
  probe.style.left = `${Math.max(0, left)}px`;
  probe.style.top = `${Math.max(0, top)}px`;
}

function drawLegend(viewer) {
  const { data, legend } = viewer;
  legend.setAttribute("aria-label", data.words.legend);
  const entries = data.classes.map((info, label) => ({ ...info, label })).filter((info) => info.shown);
  legend.replaceChildren(...entries.map((info) => {
    const swatch = element("span", { class: "swatch" });
    if (info.label > 0) swatch.style.background = rgb(info.color); // the background is not painted: an empty frame
    const button = element("button", { type: "button", "aria-pressed": String(viewer.pinned === info.label), title: data.words.isolate },
      swatch, element("span", { text: info.name }), element("span", { class: "share", text: info.share }));
    const hover = (label) => () => { viewer.hovered = label; paint(viewer); };
    button.addEventListener("pointerenter", hover(info.label));
    button.addEventListener("pointerleave", hover(null));
    button.addEventListener("focus", hover(info.label));
    button.addEventListener("blur", hover(null));
    button.addEventListener("click", () => {
      viewer.pinned = viewer.pinned === info.label ? null : info.label;
      for (const other of legend.children) other.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-pressed", String(viewer.pinned === info.label));
      paint(viewer);
    });
    return button;
  }));
}

function describe(viewer, data) {
  viewer.image.alt = data.alt;
  viewer.before.textContent = data.words.before;
  viewer.after.textContent = data.words.after;
  viewer.divider.setAttribute("aria-label", data.words.divider);
  // Never wider than the height allows, so that picture and canvas keep one box and one aspect ratio.
  const aspect = data.fullWidth / data.fullHeight;
  viewer.frame.style.aspectRatio = String(aspect);
  viewer.frame.style.width = `min(100%, calc(60vh * ${aspect}))`;
  viewer.root.classList.toggle("pixelated", Math.max(data.fullWidth, data.fullHeight) < 200);
}

async function load(viewer, kind) {
  // Keep the pixels of `data[kind]`, unless another address was asked for while they came.
  const url = viewer.data[kind];
  if (viewer[kind] && viewer[kind].url === url) return;
  viewer[kind] = null;
  if (!url) return;
  const pixels = await loadPixels(url);
  if (viewer.data[kind] === url) viewer[kind] = { url, width: pixels.width, height: pixels.height, data: pixels.data };
}

async function show(viewer, data) {
  const previous = viewer.data;
  viewer.data = data;
  describe(viewer, data);
  const contents = JSON.stringify([data.classes, data.words]);
  const names = data.classes.map((info) => info.name).join("\n");
  if (!previous || names !== previous.classes.map((info) => info.name).join("\n")) viewer.pinned = viewer.hovered = null;
  if (!previous || previous.image !== data.image) {
    viewer.pinned = viewer.hovered = null;
    viewer.image.src = absolute(data.image);
    viewer.canvas.width = 0; // another picture's labels must not lie over this one
  }
  setSplit(viewer, viewer.split);
  if (viewer.contents !== contents) drawLegend(viewer); // rebuilt only if it changed, so that it keeps the focus
  viewer.contents = contents;
  await load(viewer, "labels");
  if (viewer.data !== data) return; // a newer call draws
  paint(viewer);
  await load(viewer, "probs");
  if (viewer.data === data) viewer.root.dataset.ready = data.labels;
}

export default function (component) {
  const { parentElement, data } = component;
  const viewer = stateOf(parentElement, () => makeViewer(parentElement));
  show(viewer, data).catch(() => { viewer.after.textContent = data.words.failed; });
}
