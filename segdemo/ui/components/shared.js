// What all our components share: elements without innerHTML (no text of a visitor is ever parsed as HTML),
// pictures as pixels, and one state per mounted instance.

const states = new WeakMap();

function stateOf(parent, make) {
  if (!states.has(parent)) states.set(parent, make());
  return states.get(parent);
}

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function absolute(url) {
  // Pages lie one level below the app's root, so "api/…" is found from every page and behind a path prefix.
  return new URL(url, document.baseURI).href;
}

function loadImage(url) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error(url));
    image.src = absolute(url);
  });
}

async function loadPixels(url) {
  const image = await loadImage(url);
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function rgb(color) {
  return `rgb(${color[0]}, ${color[1]}, ${color[2]})`;
}

function vector(tag, attributes = {}, ...children) {
  // The same as `element` for a part of an SVG drawing.
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const PLAY_ICONS = { play: "M8 5v14l11-7z", pause: "M7 5h4v14H7zM13 5h4v14h-4z", back: "M6 6h2v12H6zM20 6v12l-9.5-6z", onward: "M16 6h2v12h-2zM4 6l9.5 6L4 18z" };

function playIcon(name, size = 21) {
  // Of a play bar.
  return vector("svg", { viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true" }, vector("path", { d: PLAY_ICONS[name] }));
}

function filled(template, values) {
  // "channel {channel}" → "channel 17": sentences come from Python, in the visitor's language.
  return (template ?? "").replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function calm() {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

function isBorder(labels, width, height, x, y, reach) {
  const own = labels[(y * width + x) * 4];
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const nx = x + dx, ny = y + dy;
      if (nx >= 0 && ny >= 0 && nx < width && ny < height && labels[(ny * width + nx) * 4] !== own) return true;
    }
  }
  return false;
}

function likeliest(probs, binary, fx, fy) {
  // Rows of {label, probability} at a place in fractions of the picture, likeliest first; as encode_probabilities wrote them.
  const at = (width, x) => (Math.min(probs.height - 1, Math.floor(fy * probs.height)) * probs.width + x * width + Math.min(width - 1, Math.floor(fx * width))) * 4;
  if (binary) {
    const p = probs.data[at(probs.width, 0)] / 255;
    return [{ label: 1, probability: p }, { label: 0, probability: 1 - p }];
  }
  // Red and green hold a class and its probability, for each of three planes laid side by side.
  return [0, 1, 2]
    .map((plane) => at(probs.width / 3, plane))
    .map((i) => ({ label: probs.data[i], probability: probs.data[i + 1] / 255 }))
    .filter((row, k) => k === 0 || row.probability >= 0.005);
}

function showRow(box, row) {
  // A row of a table that scrolls under its head and above its foot; only the table moves, never the page.
  const head = box.querySelector("thead").offsetHeight, foot = box.querySelector("tfoot")?.offsetHeight ?? 0;
  if (row.offsetTop - head < box.scrollTop) box.scrollTop = row.offsetTop - head;
  else if (row.offsetTop + row.offsetHeight + foot > box.scrollTop + box.clientHeight) box.scrollTop = row.offsetTop + row.offsetHeight + foot - box.clientHeight;
}
