// Playing: a timer from step to step, none while a cell is hovered or the stage is out of sight; frames only while something
// glides.

const REST_MS = 2500, GLIDE_MS = 260, STEP_GLIDE_MS = 140, FASTEST_GLIDE = 4; // steps a second beyond which nothing glides

function begin(theatre) {
  if (theatre.data.covered || !theatre.model.steps.length) return;
  if (theatre.step >= theatre.model.steps.length - 1) theatre.step = 0;
  Object.assign(theatre, { playing: true, growing: true, stands: false, pinned: null, stepAt: performance.now() });
  show(theatre, true);
  note(theatre);
}

function stop(theatre) {
  Object.assign(theatre, { playing: false, stands: true });
  clearTimeout(theatre.timer);
  showButtons(theatre);
  speak(theatre);
  note(theatre);
}

function letGo(theatre) {
  // No cell is held any more; what was grown is all there.
  Object.assign(theatre, { pinned: null, growing: false, stands: false });
  show(theatre, true);
  note(theatre);
}

function goOn(theatre) {
  // Sets the timer to the next step, where one is due.
  clearTimeout(theatre.timer);
  if (!theatre.playing || theatre.hover !== null || !theatre.seen || !theatre.layout || document.hidden) return;
  const last = theatre.step >= theatre.model.steps.length - 1, wait = last ? REST_MS : 1000 / theatre.perSecond;
  theatre.timer = setTimeout(() => {
    theatre.stepAt = Math.max(theatre.stepAt + wait, performance.now() - wait); // no hurry after a pause
    toStep(theatre, last ? 0 : theatre.step + 1);
  }, Math.max(0, theatre.stepAt + wait - performance.now()));
}

function glideOn(theatre) {
  // One loop of frames while something glides; none when all is still.
  if (theatre.frame) return;
  const draw = (now) => {
    theatre.frame = 0;
    paintLit(theatre, now);
    if (theatre.glide.ms && now < theatre.glide.start + theatre.glide.ms) theatre.frame = requestAnimationFrame(draw);
  };
  theatre.frame = requestAnimationFrame(draw);
}

function glideTime(theatre, before, after) {
  // Only from one cell to the next: at the end of a row, or to another grid, the window jumps.
  const [from, to] = [before, after].map((cell) => whereIs(theatre.model, cell));
  const next = from.g === to.g && Math.abs(from.row - to.row) + Math.abs(from.col - to.col) <= 1;
  if (!next || calm() || theatre.hover !== null) return 0;
  if (!theatre.playing) return STEP_GLIDE_MS;
  return theatre.perSecond > FASTEST_GLIDE ? 0 : Math.min(GLIDE_MS, 450 / theatre.perSecond);
}

function stepBy(theatre, by) {
  const count = theatre.model.steps.length;
  stayAt(theatre, (theatre.step + by + count) % count);
}

function stayAt(theatre, step) {
  // The play stops at a step: what comes after it has not grown yet.
  Object.assign(theatre, { playing: false, stands: true, growing: true, pinned: null });
  toStep(theatre, step);
  speak(theatre);
  note(theatre);
}

function toStep(theatre, step) {
  const grown = theatre.growing && !theatre.model.scatter && step === theatre.step + 1;
  theatre.step = step;
  if (grown) paintCell(theatre, sized(theatre.base, theatre.layout), theatre.model.steps[step]); // one more cell; all else is as it was
  show(theatre, !grown);
}

function isGhost(theatre, cell) {
  // While the output grows, what has not been reached is empty.
  const { model } = theatre;
  if (!theatre.growing || !model.outputs.has(cell) || model.scatter) return false;
  return model.places.get(cell) > theatre.step;
}

function isCovered(theatre, g) {
  const { data, model } = theatre;
  return data.covered && (g === data.target || model.outputs.has(model.starts[g]));
}

function partialSums(theatre) {
  // Of a scatter: what the outputs are after this step.
  const { model } = theatre;
  if (!model.scatter || !theatre.growing) return null;
  const sums = new Map();
  for (const [output, made] of model.outputs) {
    let all = 0, reached = 0;
    for (let tap = made.first; tap < made.first + made.count; tap++) {
      all += model.data.products[tap] ?? 0;
      if (model.places.get(model.data.at[tap]) <= theatre.step) reached += model.data.products[tap] ?? 0;
    }
    const complete = reached === all, partial = valueOf(model, output) - all + reached;
    sums.set(output, complete ? valueOf(model, output) : Math.abs(partial) < 1e-9 * Math.max(1, Math.abs(all)) ? 0 : Number(partial.toPrecision(6)));
  }
  return sums;
}
