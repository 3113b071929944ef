// Where the panes look: one view for all of them. Coordinates are fractions of the picture, so that pictures of any size
// and panes of any width agree on what is under the pointer.

const LARGEST_ZOOM = 32, ZOOM_STEP = 1.35, PAN_STEP = 0.12; // an arrow key moves by this share of what is seen

const wholePicture = () => ({ zoom: 1, x: 0.5, y: 0.5 }); // x, y: the picture's place in the middle of a pane

function heldInside(view) {
  // Nothing beyond the picture's edge is ever shown.
  const half = 0.5 / view.zoom;
  const within = (value) => Math.min(1 - half, Math.max(half, value));
  return { zoom: view.zoom, x: within(view.x), y: within(view.y) };
}

function zoomedAt(view, factor, fx, fy) {
  // The picture's place (fx, fy) stays where it is on the screen.
  const zoom = Math.min(LARGEST_ZOOM, Math.max(1, view.zoom * factor));
  const keep = view.zoom / zoom;
  return heldInside({ zoom, x: fx + (view.x - fx) * keep, y: fy + (view.y - fy) * keep });
}

function moved(view, dx, dy) {
  // By shares of what is seen.
  return heldInside({ zoom: view.zoom, x: view.x + dx / view.zoom, y: view.y + dy / view.zoom });
}

function placeAt(view, box, clientX, clientY) {
  // The place of the picture under a point of the window, in fractions; may lie outside 0–1 by rounding only.
  return {
    fx: view.x + ((clientX - box.left) / box.width - 0.5) / view.zoom,
    fy: view.y + ((clientY - box.top) / box.height - 0.5) / view.zoom,
  };
}

function useView(context, view, width, height) {
  // From now on the context draws the whole picture as the square from (0, 0) to (1, 1).
  const sx = width * view.zoom, sy = height * view.zoom;
  context.setTransform(sx, 0, 0, sy, width / 2 - view.x * sx, height / 2 - view.y * sy);
}

function gridFor(count, width, height, aspect, caption, gap) {
  // Columns and the width of a pane, as large as the room allows; on a phone two columns, however long that gets.
  if (width < 560) {
    const columns = Math.min(2, count);
    return { columns, side: Math.floor((width - (columns - 1) * gap) / columns) };
  }
  const sides = Array.from({ length: count }, (_, i) => {
    const columns = i + 1, rows = Math.ceil(count / columns);
    const byWidth = (width - (columns - 1) * gap) / columns;
    const byHeight = ((height - (rows - 1) * gap) / rows - caption) * aspect;
    return { columns, empty: rows * columns - count, side: Math.floor(Math.min(byWidth, Math.max(byHeight, 150))) };
  });
  const largest = Math.max(...sides.map(({ side }) => side));
  const row = sides[count - 1];
  if (row.side >= 0.8 * largest) return row; // all beside each other, where that costs little
  const candidates = sides.filter(({ side }) => side >= 0.97 * largest);
  return candidates.sort((a, b) => a.empty - b.empty || b.columns - a.columns)[0];
}
