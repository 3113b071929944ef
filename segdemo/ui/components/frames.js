// The time-lapse: one mask after another over the same picture, with a slider, a play button, and a thumbnail a frame.
// All frames are painted in the browser from their labels; nothing is asked of the server.

const FRAME_MS = 1000;
const THUMB = 92; // pixels of width
const CHART = { height: 92, left: 34, right: 12, top: 26, bottom: 8 };

function makePlayer(parent) {
  const root = parent.querySelector(".root");
  const image = element("img", { draggable: "false" }), canvas = element("canvas", { "aria-hidden": "true" });
  const frame = element("div", { class: "frame" }, image, canvas);
  const [back, play, onward] = ["back", "play", "onward"].map((name) => element("button", { type: "button", class: `control ${name}` }, playIcon(name, 22)));
  const slider = element("input", { type: "range", min: "0", step: "1", class: "range" });
  const title = element("b", { class: "name" }), note = element("span", { class: "note" }), count = element("span", { class: "count" }), how = element("p", { class: "how" });
  const chart = element("div", { class: "chart" }), strip = element("div", { class: "strip", role: "group" });
  const said = element("div", { class: "said", role: "status" });
  const heading = element("div", { class: "heading" }, title, note, count);
  const panel = element("div", { class: "panel" }, heading, element("div", { class: "controls" }, back, play, onward, slider), chart, strip, how);
  root.replaceChildren(element("div", { class: "player", role: "group" }, element("div", { class: "stage" }, frame), panel), said);
  const player = {
    root, image, canvas, frame, back, play, onward, slider, title, note, count, how, chart, strip, said, group: root.firstChild,
    data: null, at: null, timer: null, painted: new Map(), pixels: new Map(),
  };
  listenTo(player);
  return player;
}

function listenTo(player) {
  const { back, play, onward, slider, group } = player;
  back.addEventListener("click", () => stayAt(player, player.at - 1));
  onward.addEventListener("click", () => stayAt(player, player.at + 1));
  play.addEventListener("click", () => (player.timer ? pause(player) : start(player)));
  slider.addEventListener("input", () => stayAt(player, Number(slider.value)));
  group.addEventListener("keydown", (event) => onKey(player, event));
  player.frame.addEventListener("click", () => (player.timer ? pause(player) : start(player)));
  new ResizeObserver(() => { if (player.data) drawChart(player); }).observe(player.chart);
}

function onKey(player, event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const onButton = event.target.tagName === "BUTTON";
  if (event.key === " " && !onButton) {
    event.preventDefault();
    return player.timer ? pause(player) : start(player);
  }
  const last = player.data.frames.length - 1;
  const next = { ArrowLeft: player.at - 1, ArrowRight: player.at + 1, ArrowDown: player.at - 1, ArrowUp: player.at + 1, Home: 0, End: last }[event.key];
  if (next === undefined || ((event.key === "ArrowUp" || event.key === "ArrowDown") && event.target !== player.slider)) return;
  event.preventDefault();
  stayAt(player, next);
  if (event.target.parentNode === player.strip) player.strip.children[player.at].focus({ preventScroll: true });
}

function start(player) {
  const last = player.data.frames.length - 1;
  if (last < 1) return;
  if (player.at >= last) go(player, 0);
  player.timer = setInterval(() => {
    if (!player.root.isConnected) return pause(player);
    go(player, player.at + 1);
    if (player.at >= player.data.frames.length - 1) pause(player);
  }, FRAME_MS);
  showPlay(player);
}

function pause(player) {
  pauseQuietly(player);
  showPlay(player);
  player.said.textContent = describeFrame(player);
}

function stayAt(player, wanted) {
  // Another frame, and no play: spoken once it is there.
  pauseQuietly(player);
  go(player, wanted);
  pause(player);
}

function showPlay(player) {
  const { play, data, timer } = player, word = timer ? data.words.pause : data.words.play;
  play.replaceChildren(playIcon(timer ? "pause" : "play", 22));
  play.title = word;
  play.setAttribute("aria-label", word);
}

function describeFrame(player) {
  const item = player.data.frames[player.at];
  return [item.title, item.note].filter(Boolean).join(", ");
}

function go(player, wanted) {
  const { data, slider, strip } = player, last = data.frames.length - 1;
  player.at = Math.min(last, Math.max(0, wanted));
  const item = data.frames[player.at];
  slider.value = String(player.at);
  slider.style.setProperty("--done", `${last ? (100 * player.at) / last : 0}%`);
  slider.setAttribute("aria-valuetext", describeFrame(player));
  player.title.textContent = item.title;
  player.note.textContent = item.note ?? "";
  player.how.textContent = item.how ?? "";
  player.count.textContent = filled(data.words.count ?? "{i} / {n}", { i: player.at + 1, n: data.frames.length });
  player.back.disabled = player.at === 0;
  player.onward.disabled = player.at === last;
  [...strip.children].forEach((button, i) => {
    button.setAttribute("aria-current", String(i === player.at));
    button.tabIndex = i === player.at ? 0 : -1;
  });
  reveal(strip, strip.children[player.at]);
  paintFrame(player);
  drawChart(player);
}

function reveal(strip, button) {
  if (!button || strip.scrollWidth <= strip.clientWidth) return;
  const left = button.offsetLeft - strip.offsetLeft - 30, right = left + button.offsetWidth + 60;
  const behavior = calm() ? "auto" : "smooth";
  if (left < strip.scrollLeft) strip.scrollTo({ left, behavior });
  else if (right > strip.scrollLeft + strip.clientWidth) strip.scrollTo({ left: right - strip.clientWidth, behavior });
}

// ---- painting -----------------------------------------------------------------------------------------------------------

function coloured(labels, classes, opacity) {
  // The mask as a picture of its own: filled, and its borders at full strength. Background stays clear.
  const { width, height, data } = labels, reach = Math.max(1, Math.round(Math.max(width, height) / 600));
  const canvas = new OffscreenCanvas(width, height), context = canvas.getContext("2d"), target = context.createImageData(width, height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i += 4) {
      const info = classes[data[i]];
      if (!info || data[i] === 0) continue;
      target.data.set(info.color, i);
      target.data[i + 3] = isBorder(data, width, height, x, y, reach) ? 255 : Math.round(255 * opacity);
    }
  }
  context.putImageData(target, 0, 0);
  return canvas;
}

function painted(player, index) {
  // The painted mask of a frame; null until its labels are there.
  const { data } = player, url = data.frames[index].labels, pixels = player.pixels.get(url);
  if (!pixels) return null;
  if (!player.painted.has(url)) player.painted.set(url, coloured(pixels, data.classes, data.opacity));
  return player.painted.get(url);
}

function paintFrame(player) {
  const mask = painted(player, player.at), { canvas } = player;
  if (!mask) return;
  if (canvas.width !== mask.width || canvas.height !== mask.height) Object.assign(canvas, { width: mask.width, height: mask.height });
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, mask.width, mask.height);
  context.drawImage(mask, 0, 0);
  canvas.dataset.frame = String(player.at);
}

function paintThumbs(player) {
  const { data, strip, image } = player, ratio = Math.min(2, window.devicePixelRatio || 1);
  [...strip.children].forEach((button, i) => {
    const canvas = button.querySelector("canvas"), mask = painted(player, i);
    if (!mask || !image.complete || !image.naturalWidth) return;
    canvas.width = THUMB * ratio;
    canvas.height = Math.round((THUMB * ratio * data.height) / data.width);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    context.drawImage(mask, 0, 0, canvas.width, canvas.height);
  });
}

function buildStrip(player) {
  const { data, strip } = player;
  const text = JSON.stringify(data.frames.map((item) => [item.title, item.note]));
  strip.style.setProperty("--aspect", `${data.width} / ${data.height}`);
  if (text === player.stripText) return;
  player.stripText = text;
  strip.replaceChildren(...data.frames.map((item, i) => {
    const button = element("button", { type: "button", title: [item.title, item.note].filter(Boolean).join(" · "), "aria-label": [item.title, item.note].filter(Boolean).join(", ") },
      element("canvas", { "aria-hidden": "true" }), element("span", { text: item.title }));
    button.addEventListener("click", () => stayAt(player, i));
    return button;
  }));
}

// ---- scores ---------------------------------------------------------------------------------------------------------------

function drawChart(player) {
  const { data, chart } = player, scores = data.frames.map((item) => (Number.isFinite(item.score) ? item.score : null));
  const known = scores.filter((score) => score !== null);
  chart.classList.toggle("hidden", known.length < 2);
  const width = chart.clientWidth;
  if (known.length < 2 || !width) return;
  const low = Math.max(0, Math.floor((Math.min(...known) - 0.02) * 10) / 10), high = Math.min(1, Math.ceil((Math.max(...known) + 0.001) * 10) / 10);
  const x = (i) => CHART.left + ((width - CHART.left - CHART.right) * i) / Math.max(1, scores.length - 1);
  const y = (score) => CHART.top + (CHART.height - CHART.top - CHART.bottom) * (1 - (score - low) / Math.max(0.05, high - low));
  const grid = [low, high].flatMap((score) => [
    vector("path", { class: "grid", d: `M${CHART.left} ${y(score)}H${width - CHART.right}` }),
    vector("text", { x: CHART.left - 7, y: y(score) + 4, class: "axis", text: score.toFixed(1) }),
  ]);
  const points = scores.flatMap((score, i) => (score === null ? [] : [`${x(i).toFixed(1)},${y(score).toFixed(1)}`]));
  const dots = scores.flatMap((score, i) => (score === null ? [] : [vector("circle", { cx: x(i), cy: y(score), r: i === player.at ? 5.5 : 3.2, class: i === player.at ? "now" : "dot" })]));
  const title = vector("text", { x: 0, y: 12, class: "what", text: data.words.score ?? "" });
  const ticks = scores.length > 16 ? [] : scores.map((_score, i) => vector("text", { x: x(i), y: CHART.height + 9, class: "tick", text: String(i + 1) }));
  const said = `${data.words.score ?? ""}: ${data.frames.map((item, i) => `${item.title} ${scores[i]?.toFixed(2) ?? "–"}`).join(", ")}`;
  const drawing = vector("svg", { width, height: CHART.height + 14, role: "img", "aria-label": said });
  drawing.append(title, ...grid, vector("polyline", { points: points.join(" "), class: "curve" }), ...dots, ...ticks);
  chart.replaceChildren(drawing);
}

// ---- data -------------------------------------------------------------------------------------------------------------------

function describe(player, data) {
  const { words } = data;
  player.group.setAttribute("aria-label", data.label);
  player.image.alt = data.label;
  player.slider.setAttribute("aria-label", words.slider);
  player.slider.max = String(data.frames.length - 1);
  player.strip.setAttribute("aria-label", words.frames ?? words.slider);
  for (const [button, word] of [[player.back, words.previous], [player.onward, words.next]]) {
    button.title = word;
    button.setAttribute("aria-label", word);
  }
  const aspect = data.width / data.height;
  player.frame.style.aspectRatio = String(aspect);
  player.frame.style.width = `min(100%, calc(max(280px, 56vh) * ${aspect}))`;
  player.root.classList.toggle("pixelated", Math.max(data.width, data.height) < 200);
  if (player.image.src !== absolute(data.image)) {
    player.image.src = absolute(data.image);
    player.canvas.width = 0; // another picture's mask must not lie over this one
  }
}

async function update(player, data) {
  const before = player.data;
  player.data = data;
  const look = JSON.stringify([data.classes.map((info) => info.color), data.opacity]);
  if (look !== player.look) player.painted.clear();
  player.look = look;
  const urls = new Set(data.frames.map((item) => item.labels));
  for (const url of player.pixels.keys()) if (!urls.has(url)) { player.pixels.delete(url); player.painted.delete(url); }
  describe(player, data);
  buildStrip(player);
  if (!before || before.image !== data.image || before.frames.length !== data.frames.length) {
    pauseQuietly(player);
    player.at = data.frames.length - 1; // opens on the result
  }
  showPlay(player);
  go(player, player.at);
  await Promise.all([player.image.decode().catch(() => {}), ...[...urls].filter((url) => !player.pixels.has(url)).map(async (url) => {
    const pixels = await loadPixels(url);
    if (player.data === data) player.pixels.set(url, pixels);
  })]);
  if (player.data !== data) return; // a newer call draws
  paintFrame(player);
  paintThumbs(player);
  player.root.dataset.ready = data.image;
}

function pauseQuietly(player) {
  clearInterval(player.timer);
  player.timer = null;
}

export default function (component) {
  const { parentElement, data } = component;
  const player = stateOf(parentElement, () => makePlayer(parentElement));
  update(player, data).catch(() => { player.how.textContent = data.words.failed ?? ""; });
}
