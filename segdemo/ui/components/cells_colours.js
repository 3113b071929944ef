// The colours of cells: of the page, of numbers, and what can be read on them. Nothing here touches the page but to ask for its look.

const STRAIGHT = 6; // times the usual number: as far as colours follow the numbers themselves
const GROUND_SHARE = 0.05; // of the text's colour in the background of a 0 on a dark page
const MIDDLE_LIGHT = 0.1791; // on which black and white stand out as much
const FARTHEST = 0.3, FARTHEST_IN_THE_DARK = 0.24; // how far from the middle of the scale the largest number is coloured

function coloursOf(root) {
  const style = getComputedStyle(root);
  return {
    text: style.color, back: style.getPropertyValue("--st-background-color"), second: style.getPropertyValue("--st-secondary-background-color"),
    line: style.getPropertyValue("--st-border-color"), paper: channelsOf(style.getPropertyValue("--st-background-color")), ink: channelsOf(style.color), accent: style.getPropertyValue("--st-primary-color"), font: style.fontFamily,
    glow: style.getPropertyValue("--glow"),
  };
}

function channelsOf(color) {
  // "#0e1117" → [14, 17, 23]; the browser reads every other way to write a colour.
  const pen = new OffscreenCanvas(1, 1).getContext("2d");
  pen.fillStyle = color;
  pen.fillRect(0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

function painterOf(model, scales, look) {
  // The colour of each cell as [r, g, b], or null where it has none; one scale a kind and role, so that equal numbers look equal.
  const found = new Map(), roleOf = (g) => `${model.data.grids[g].kind} ${model.kernels.has(g)} ${model.outputs.has(model.starts[g])}`;
  model.data.grids.forEach((grid, g) => {
    const numbers = found.get(roleOf(g)) ?? [];
    for (const value of grid.values) if (typeof value === "number") numbers.push(value);
    found.set(roleOf(g), numbers);
  });
  const straight = model.data.grids.some((grid) => grid.kind === "picture"); // what is made of greys is coloured as evenly
  const reaches = new Map([...found].map(([role, numbers]) => [role, reachOf(numbers, straight)]));
  return (g, value) => {
    const { kind } = model.data.grids[g], reach = reaches.get(roleOf(g));
    if (kind === "plain") return null;
    if (kind === "picture") {
      const most = Math.max(1, reach.highest), grey = Math.round((255 * (value - reach.lowest)) / (most - reach.lowest));
      return [grey, grey, grey];
    }
    return kind === "signed" ? signed(scales.signed, spread(value, reach), look) : along(scales[kind], value / (reach.most || 1));
  };
}

function signed(scale, share, { paper, ink }) {
  // 0 is near the page's background, and the further from it, the more orange or blue: pale on a light page, dim on a dark one.
  if (lightOf(paper) > MIDDLE_LIGHT) return along(scale, 0.5 + FARTHEST * share);
  const ground = mixed(ink, paper, GROUND_SHARE), full = along(scale, 0.5 + FARTHEST_IN_THE_DARK * Math.sign(share));
  return mixed(full, ground, Math.abs(share) ** 0.8).map(Math.round);
}

function reachOf(numbers, straight) {
  // The largest without its sign, the smallest and largest with it (from 0), and the size beyond which logarithms are drawn:
  // far out where no number is much larger than most, near 0 where one is.
  const sizes = numbers.map(Math.abs).filter((size) => size > 0).sort((a, b) => a - b);
  const most = sizes.at(-1) ?? 0, middle = sizes[Math.floor(sizes.length / 2)] ?? 1;
  return {
    most, bend: straight ? 1e3 * most : Math.max(0.1, (STRAIGHT * middle) / (most || 1)) * middle,
    lowest: numbers.reduce((low, value) => Math.min(low, value), 0), highest: numbers.reduce((high, value) => Math.max(high, value), 0),
  };
}

function spread(value, { most, bend }) {
  // −1 to 1: as the number itself where it is small, as its logarithm where it is large, so that one of 99 leaves 1, 2 and 3 apart.
  return most ? Math.max(-1, Math.min(1, Math.asinh(value / bend) / Math.asinh(most / bend))) : 0;
}

function along(scale, share) {
  const at = Math.min(0.9999, Math.max(0, share)) * (scale.length - 1), i = Math.floor(at), part = at - i;
  return scale[i].map((start, c) => Math.round(start + (scale[i + 1][c] - start) * part));
}

function inkOn(color) {
  // Black or white, whichever stands out more: 4.5 : 1 at least, on every colour (WCAG 2.2, relative luminance).
  return lightOf(color) > MIDDLE_LIGHT ? "#000000" : "#ffffff";
}

function lightOf(color) {
  const [r, g, b] = color.map((part) => (part <= 10 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function mixed(color, paper, share) {
  return color.map((part, c) => share * part + (1 - share) * paper[c]);
}

