// Panes that look at the same place: one a network, and the picture and the truth if wanted. Zoom, place, probe, what is drawn
// over the picture and how two are compared are all the browser's: nothing here asks the server for anything.

const remembered = {}; // what was set in one view of the page is found again in the next

function makePanes(parent) {
  const root = parent.querySelector(".root");
  const panes = {
    root, data: null, picture: null, maps: new Map(), probs: new Map(), painted: new Map(), figures: [],
    view: wholePicture(), probe: null, layout: "grid", mode: "overlay", opacity: 0.55, reference: null, first: null, second: null,
    speed: 1.5, split: 50, playing: false, onSecond: false, shown: new Set(), fingers: new Map(), ...remembered.settings,
  };
  panes.changed = (name) => changed(panes, name);
  panes.look = (view) => { panes.view = heldInside(view); keep(panes); redraw(panes); };
  panes.zoomBy = (factor) => panes.look(zoomedAt(panes.view, factor, ...(panes.probe ? [panes.probe.fx, panes.probe.fy] : [panes.view.x, panes.view.y])));
  panes.setPlaying = (playing) => setPlaying(panes, playing);
  panes.bar = makeToolbar(panes);
  panes.grid = element("div", { class: "grid", tabindex: "0", role: "group", "aria-keyshortcuts": "+ - 0 Space Shift+ArrowLeft Shift+ArrowRight" });
  panes.status = element("p", { class: "status" });
  panes.said = element("div", { class: "said", role: "status" });
  panes.legend = element("div", { class: "legend" });
  root.replaceChildren(panes.bar.root, panes.bar.under, panes.grid, panes.legend, panes.status, panes.said);
  panes.grid.addEventListener("keydown", (event) => pressed(panes, event));
  panes.bar.layout.group.addEventListener("keydown", (event) => pressedOnArrangement(panes, event));
  new ResizeObserver(() => { if (panes.data) arrange(panes); }).observe(root);
  return panes;
}

function keep(panes) {
  const { view, layout, mode, opacity, reference, first, second, speed, split, shown } = panes;
  remembered.settings = { view, layout, mode, opacity, reference, first, second, speed, split, shown };
  remembered.picture = panes.data?.pictureKey;
}

function changed(panes, name) {
  if (name === "layout") setPlaying(panes, panes.layout === "blink" && !calm(), false);
  if (name === "speed" && panes.playing) setPlaying(panes, true, false);
  keep(panes);
  if (["layout", "shown", "first", "second"].includes(name)) build(panes);
  else redraw(panes);
}

function setPlaying(panes, playing, draw = true) {
  clearInterval(panes.timer);
  panes.playing = playing;
  if (playing && panes.layout !== "blink") { panes.layout = "blink"; keep(panes); build(panes); }
  if (playing) panes.timer = setInterval(() => { if (panes.root.isConnected) flip(panes); else clearInterval(panes.timer); }, 1000 / panes.speed);
  if (draw) redraw(panes);
}

function flip(panes) {
  panes.onSecond = !panes.onSecond;
  redraw(panes);
}

const paneOf = (panes, key) => panes.data.panes.find((pane) => pane.key === key);

function shownPanes(panes) {
  if (panes.layout !== "grid") return [paneOf(panes, panes.first)];
  return panes.data.panes.filter((pane) => !pane.optional || panes.shown.has(pane.key));
}

async function showPanes(panes, data) {
  const before = panes.data;
  panes.failed = false;
  adopt(panes, data);
  panes.grid.setAttribute("aria-label", data.words.label);
  const shape = (d) => JSON.stringify([d.panes.map((pane) => pane.key), d.width, d.height, d.words]);
  if (!before || shape(before) !== shape(data)) build(panes);
  else { panes.figures.forEach((figure) => { figure.pane = paneOf(panes, figure.pane.key); }); arrange(panes); }
  await fetchPictures(panes, data);
  if (panes.data !== data) return; // a newer call draws
  redraw(panes);
  requestAnimationFrame(() => requestAnimationFrame(() => { if (panes.data === data) panes.root.dataset.ready = data.ready; }));
}

export default function (component) {
  const { parentElement, data } = component;
  const panes = stateOf(parentElement, () => makePanes(parentElement));
  showPanes(panes, data).catch((error) => {
    console.error(error);
    panes.failed = true; // said by every drawing until other panes come
    redraw(panes);
  });
}
