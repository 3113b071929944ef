// What lies over the picture in a pane: coloured areas, outlines, differences, errors, or a heat map. Areas are painted once
// at the size of the labels and then only drawn; outlines are paths, so that they are equally thin at every zoom.

const NOT_COUNTED = 255;

function sameLabels(pixels) {
  // The class of each pixel, from a grey picture.
  const { width, height, data } = pixels;
  const values = new Uint8Array(width * height);
  for (let i = 0; i < values.length; i++) values[i] = data[4 * i];
  return { width, height, values };
}

function valueAt(map, fx, fy) {
  const x = Math.min(map.width - 1, Math.max(0, Math.floor(fx * map.width)));
  const y = Math.min(map.height - 1, Math.max(0, Math.floor(fy * map.height)));
  return map.values[y * map.width + x];
}

function areas(map, colours) {
  // colours[label] is [r, g, b], or nothing where the picture shows through.
  const canvas = new OffscreenCanvas(map.width, map.height);
  const context = canvas.getContext("2d");
  const target = context.createImageData(map.width, map.height);
  const words = new Uint32Array(target.data.buffer);
  const opaque = colours.map((colour) => (colour ? (255 << 24) | (colour[2] << 16) | (colour[1] << 8) | colour[0] : 0));
  for (let i = 0; i < words.length; i++) words[i] = opaque[map.values[i]] ?? 0;
  context.putImageData(target, 0, 0);
  return canvas;
}

function outlines(map, count) {
  // One path a class, in pixels of the labels, along the edges of its areas; neighbouring edges become one line.
  const { width, height, values } = map;
  const paths = Array.from({ length: count }, () => new Path2D());
  const trace = (along, across, label, draw) => {
    for (let line = 0; line <= across; line++) {
      let start = -1, owner = 0;
      for (let i = 0; i <= along; i++) {
        const before = i < along && line > 0 ? label(i, line - 1) : 0;
        const after = i < along && line < across ? label(i, line) : 0;
        const here = before === after ? 0 : after || before;
        if (here === owner) continue;
        if (owner && paths[owner]) draw(paths[owner], start, i, line);
        [start, owner] = [i, here];
      }
    }
  };
  trace(width, height, (x, y) => values[y * width + x], (path, a, b, y) => { path.moveTo(a, y); path.lineTo(b, y); });
  trace(height, width, (y, x) => values[y * width + x], (path, a, b, x) => { path.moveTo(x, a); path.lineTo(x, b); });
  return paths;
}

function comparedWith(map, table, other, otherTable, kindOf) {
  // A map of kinds: what `kindOf` says of both labels, in the classes that both sides share.
  const values = new Uint8Array(map.values.length);
  for (let i = 0; i < values.length; i++) {
    const wanted = otherTable[other.values[i]];
    values[i] = wanted === NOT_COUNTED ? 0 : kindOf(table[map.values[i]], wanted);
  }
  return { width: map.width, height: map.height, values };
}

// Indices into the kinds that Python names and colours: 0 is not painted.
const differenceKind = (here, there) => (here === there ? 0 : there === 0 ? 1 : here === 0 ? 2 : 3);
const errorKind = (found, truth) => (found === truth ? (found ? 1 : 0) : truth === 0 ? 2 : found === 0 ? 3 : 4);

function rampColours(stops) {
  // 256 colours through a few; the lowest value shows the picture as the others do.
  return Array.from({ length: 256 }, (_, value) => {
    const place = (value / 255) * (stops.length - 1), i = Math.min(stops.length - 2, Math.floor(place)), share = place - i;
    return stops[i].map((channel, k) => Math.round(channel + (stops[i + 1][k] - channel) * share));
  });
}

function overlayOf(panes, pane) {
  // {canvas} or {paths, colours}, or null where only the picture is shown. Kept until what it is made of changes.
  const { data, mode } = panes, map = panes.maps.get(pane.labels);
  if (!map || pane.kind === "picture") return null;
  const reference = data.panes.find((other) => other.key === panes.reference);
  const truth = data.panes.find((other) => other.kind === "truth");
  const against = pane.kind !== "model" || !pane.table ? null : mode === "errors" ? truth : mode === "difference" ? reference : null;
  const other = against && against !== pane && against.table ? panes.maps.get(against.labels) : null;
  const plain = mode === "contour" && pane.kind !== "heat" ? "contour" : "overlay";
  const name = JSON.stringify([pane.labels, other ? [mode, against.labels, pane.table, against.table] : plain, pane.classes]);
  if (panes.painted.get(pane.key)?.name === name) return panes.painted.get(pane.key);
  const made = { name };
  if (other && other.values.length === map.values.length) {
    const kinds = mode === "errors" ? data.errorKinds : data.differenceKinds;
    const found = comparedWith(map, pane.table, other, against.table, mode === "errors" ? errorKind : differenceKind);
    made.canvas = areas(found, [null, ...kinds.slice(1).map((kind) => kind.color)]);
  } else if (pane.kind === "heat") {
    made.canvas = areas(map, rampColours(pane.ramp));
  } else if (plain === "contour") {
    made.paths = outlines(map, pane.classes.length);
    made.size = [map.width, map.height];
    made.colours = pane.classes.map((info) => rgb(info.color));
  } else {
    made.canvas = areas(map, pane.classes.map((info, label) => (label ? info.color : null)));
  }
  panes.painted.set(pane.key, made);
  return made;
}

function drawPane(panes, pane, canvas, clip = null) {
  // The picture, what lies over it, and the probed place, as the view has them. `clip`: [from, to] in shares of the width.
  const context = canvas.getContext("2d"), { width, height } = canvas;
  const { view, picture, data } = panes;
  context.save();
  context.setTransform(1, 0, 0, 1, 0, 0);
  if (clip) { context.beginPath(); context.rect(clip[0] * width, 0, (clip[1] - clip[0]) * width, height); context.clip(); }
  context.clearRect(0, 0, width, height);
  useView(context, view, width, height);
  if (picture) {
    context.imageSmoothingEnabled = (width * view.zoom) / data.width < 4;
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0, 1, 1);
  }
  const over = overlayOf(panes, pane);
  if (over?.canvas) {
    context.imageSmoothingEnabled = width * view.zoom < over.canvas.width;
    context.globalAlpha = pane.kind === "heat" ? 0.5 + panes.opacity / 2 : panes.opacity;
    context.drawImage(over.canvas, 0, 0, 1, 1);
  } else if (over?.paths) {
    strokeOutlines(context, over, (width * view.zoom) / over.size[0]);
  }
  context.restore();
  if (panes.probe) drawCross(context, panes.probe, view, width, height, clip);
}

function strokeOutlines(context, over, scale) {
  const thin = Math.max(1, window.devicePixelRatio || 1);
  context.scale(1 / over.size[0], 1 / over.size[1]);
  context.lineCap = "square";
  for (const [colour, wide] of [["rgba(0, 0, 0, .55)", 3.6], [null, 2]]) {
    context.lineWidth = (wide * thin) / scale;
    over.paths.forEach((path, label) => {
      if (!label) return;
      context.strokeStyle = colour ?? over.colours[label];
      context.stroke(path);
    });
  }
}

function drawCross(context, probe, view, width, height, clip) {
  const x = width * (0.5 + (probe.fx - view.x) * view.zoom), y = height * (0.5 + (probe.fy - view.y) * view.zoom);
  if (clip && (x < clip[0] * width || x > clip[1] * width)) return;
  const unit = Math.max(1, window.devicePixelRatio || 1);
  for (const [colour, wide] of [["rgba(0, 0, 0, .75)", 4], ["#fff", 1.8]]) {
    context.strokeStyle = colour;
    context.lineWidth = wide * unit;
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + dx * 4 * unit, y + dy * 4 * unit);
      context.lineTo(x + dx * 12 * unit, y + dy * 12 * unit);
    }
    context.stroke();
  }
}
