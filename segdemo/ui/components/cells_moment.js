// The moment that a link carries: the cell at which the theatre stands still. It is told to the server once the visitor stays
// at a cell, and not while it plays.

const STAYS_MS = 350;
const SO_FAR = ".growing"; // behind the cell's name where what comes after it is still empty

function momentOf(theatre) {
  // "output0_0.2.3"; "" while it plays and where no cell was chosen.
  const { model, pinned } = theatre, cell = pinned ?? model.steps[theatre.step];
  if (theatre.playing || !theatre.stands || cell === undefined) return "";
  return nameOf(model, cell).replaceAll(":", ".") + (theatre.growing ? SO_FAR : "");
}

function note(theatre) {
  // Tells the server, after a while, where the theatre stands.
  clearTimeout(theatre.noting);
  if (theatre.data.covered) return;
  theatre.noting = setTimeout(() => {
    const moment = momentOf(theatre);
    if (theatre.data.covered || moment === (theatre.sent.at(-1) ?? theatre.asked)) return;
    theatre.sent.push(moment);
    theatre.send("stood", { cell: moment });
  }, STAYS_MS);
}

function isNews(theatre, moment) {
  // Whether the address wants another moment than before, and not one that was told from here.
  const at = theatre.sent.indexOf(moment), same = at >= 0 || moment === theatre.asked;
  if (at >= 0) theatre.sent.splice(0, at + 1);
  theatre.asked = moment;
  return !same;
}

function standAt(theatre, moment) {
  // As the address has it. Nothing where there is no such cell.
  const { model } = theatre, growing = moment.endsWith(SO_FAR), cell = named(model, (growing ? moment.slice(0, -SO_FAR.length) : moment).replaceAll(".", ":"));
  if (cell === null) return;
  const step = model.places.get(cell);
  Object.assign(theatre, { playing: false, started: true, stands: true, growing: growing && step !== undefined, step: step ?? theatre.step });
  theatre.pinned = theatre.growing ? null : cell;
}
