// The probe: what each pane says at one place of the picture, written into the panes and said to screen readers.

function readingOf(panes, pane) {
  // {label, name, color, value} of a pane at the probed place, or null where it has nothing to say.
  const { fx, fy } = panes.probe, map = panes.maps.get(pane.labels);
  if (!map || pane.problem) return null;
  const label = valueAt(map, fx, fy);
  if (pane.kind === "heat") return { name: filled(panes.data.words.differ, { percent: Math.round((100 * label) / 255) }), value: "" };
  const info = pane.classes[label];
  if (!info) return { name: panes.data.words.uncounted, value: "" };
  const probs = panes.probs.get(pane.probs);
  const row = probs && likeliest(probs, pane.binary, fx, fy).find((found) => found.label === label);
  return { label, name: info.name, color: label ? rgb(info.color) : null, value: row ? `${Math.round(100 * row.probability)} %` : "", common: pane.table?.[label] };
}

function answer(panes, figure, pane) {
  // What a pane says at the probed place, in the corner that is farthest from it.
  const found = panes.probe && readingOf(panes, pane);
  figure.answer.classList.toggle("hidden", !found);
  if (!found) return;
  const truth = panes.data.panes.find((other) => other.kind === "truth");
  const wanted = truth && truth !== pane ? readingOf(panes, truth) : null;
  const judged = wanted && pane.kind === "model" && pane.table && wanted.common !== undefined && wanted.common !== NOT_COUNTED;
  const swatch = element("span", { class: "swatch" });
  swatch.style.background = found.color ?? "transparent";
  const verdict = judged ? (found.common === wanted.common ? "✓" : "✗") : "";
  const words = verdict && (verdict === "✓" ? panes.data.words.right : panes.data.words.wrong);
  figure.answer.replaceChildren(...(pane.kind === "heat" ? [] : [swatch]), element("span", { text: found.name }), element("b", { text: found.value }),
    ...(verdict ? [element("i", { text: verdict, title: words, class: verdict === "✓" ? "right" : "wrong" })] : []));
  const y = 0.5 + (panes.probe.fy - panes.view.y) * panes.view.zoom;
  figure.answer.classList.toggle("top", y > 0.7);
}

function placeWords(panes) {
  const { data, probe } = panes, truth = data.panes.find((pane) => pane.kind === "truth");
  const place = filled(data.words.place, { x: Math.floor(probe.fx * data.width), y: Math.floor(probe.fy * data.height) });
  const known = truth && readingOf(panes, truth);
  return known ? `${place} · ${truth.title}: ${known.name}` : place;
}

function sayProbe(panes) {
  // For those who cannot see the panes, after a step of the keyboard.
  const parts = panes.figures.map(({ pane }) => [pane, readingOf(panes, pane)]).filter(([, found]) => found);
  panes.said.textContent = [placeWords(panes), ...parts.map(([pane, found]) => `${pane.title}: ${found.name} ${found.value}`)].join("; ");
}

function setProbe(panes, fx, fy) {
  panes.probe = fx < 0 || fy < 0 || fx >= 1 || fy >= 1 ? null : { fx, fy };
  redraw(panes);
}
