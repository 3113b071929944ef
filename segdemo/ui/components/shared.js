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
