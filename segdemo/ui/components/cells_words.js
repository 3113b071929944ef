// What is said of a cell: its place, its arithmetic, what it feeds.

const MOST_TERMS = 12; // of a line of products

function showWords(theatre) {
  const { data, model, place, sum } = theatre, cell = focused(theatre), { row, col, g } = whereIs(model, cell);
  theatre.part.textContent = data.covered ? "" : [onePart(theatre, cell), sameWeights(theatre)].filter(Boolean).join(" · ");
  if (data.covered) { place.textContent = data.words.covered; sum.textContent = ""; return; }
  place.textContent = [data.grids[g].title, placeWords(theatre, g, row, col, model.border.has(cell))].filter(Boolean).join(", ");
  sum.textContent = arithmetic(theatre, cell);
}

function placeWords(theatre, g, row, col, border) {
  // Counted as PyTorch counts, from the first cell that is no border; a row of cells has columns only, and a single one no place.
  const { data, model } = theatre, [top, left] = model.corners[g], at = { row: row - top, column: col - left };
  if (border) return data.words.border;
  if (data.grids[g].values.length === 1) return "";
  return filled(data.grids[g].rows === 1 ? data.words.column : data.words.place, at);
}

function onePart(theatre, cell) {
  // Where the line says only what each channel or slice adds up to: the products of the first of them.
  const { data, model, lit } = theatre, made = model.outputs.get(cell);
  if (!made || lit.outputs.size || model.kernels.size < 2 || made.count <= MOST_TERMS || data.by[made.first] < 0) return "";
  const g = gridOf(model.starts, data.by[made.first]), taps = [];
  for (let tap = made.first; tap < made.first + made.count && taps.length <= MOST_TERMS; tap++) if (data.by[tap] >= 0 && gridOf(model.starts, data.by[tap]) === g) taps.push(tap);
  const terms = taps.slice(0, MOST_TERMS).map((tap) => `${bracketed(valueOf(model, data.at[tap]))}·${bracketed(data.weights[tap])}`);
  return `${data.grids[g].title}: ${terms.join(" + ")}${taps.length > MOST_TERMS ? " + …" : ""}`;
}

function sameWeight(theatre) {
  // The weight of all taps that are lit, where it is one and the same; null otherwise.
  const { lit, model } = theatre, taps = [...lit.inputs.values(), ...lit.outputs.values()].filter((tap) => tap >= 0);
  const weight = taps.length > 1 ? model.data.weights[taps[0]] : null;
  return taps.every((tap) => model.data.weights[tap] === weight) ? weight : null;
}

function sameWeights(theatre) {
  const weight = sameWeight(theatre);
  return weight === null ? "" : filled(theatre.data.words.each, { weight: readable(weight) });
}

function bracketed(value) {
  const text = readable(value);
  return text.startsWith("−") ? `(${text})` : text;
}

function arithmetic(theatre, cell) {
  const { data, model, lit } = theatre, made = model.outputs.get(cell), words = data.words;
  if (made && !(model.scatter && lit.outputs.size)) return made.line;
  const value = readable(valueOf(model, cell)), parts = [];
  if (model.border.has(cell)) {
    const source = model.sources.get(cell) ?? -1, at = source >= 0 ? whereIs(model, source) : null;
    parts.push(at ? filled(words.repeats, { place: placeWords(theatre, at.g, at.row, at.col, false) || data.grids[at.g].title, grid: data.grids[at.g].title }) : words[emptiness(model, cell)]);
  }
  if (model.meets.has(cell) && !lit.outputs.size) parts.push(filled(words.meets, { value, n: lit.inputs.size }));
  else parts.push(model.told.get(cell) ?? filled(lit.outputs.size > 1 ? words.feeds : lit.outputs.size ? words.feedsOne : words.feedsNone, { value, n: lit.outputs.size }));
  return parts.join(" · ");
}

function emptiness(model, cell) {
  // What a cell of the border is called that repeats nothing.
  const value = valueOf(model, cell);
  return value === null ? "never" : value === "" ? "outside" : "zero";
}

function readable(value) {
  if (typeof value !== "number") return value === null ? "−∞" : "";
  return String(Number(value.toPrecision(4))).replace("-", "−");
}

function speak(theatre) {
  if (theatre.data.covered) return;
  theatre.said.textContent = `${theatre.place.textContent}: ${theatre.sum.textContent}`;
}

