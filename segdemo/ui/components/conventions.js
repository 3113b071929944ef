// The conventions of the Honest metrics view: a row each with IoU and Dice as dots on one axis, which opens on who counts so.
// Numbers change with every slider; a row that was opened stays open.

export default function (component) {
  const { parentElement, data } = component;
  const root = parentElement.querySelector(".root");
  const state = stateOf(parentElement, () => ({ open: new Set() }));
  const parts = [axis(data)];
  data.rows.forEach((row, number) => {
    if (number === 0 || row.group !== data.rows[number - 1].group) parts.push(element("div", { class: "group", text: row.group }));
    parts.push(details(row, data, state.open, number));
  });
  const place = [...root.querySelectorAll("summary")].findIndex((summary) => summary.matches(":focus"));
  root.replaceChildren(...parts);
  if (place >= 0) root.querySelectorAll("summary")[place].focus();
  root.dataset.ready = "";
}

function axis(data) {
  const key = element("div", { class: "key" }, element("i", { class: "iou" }), "IoU", element("i", { class: "dice" }), "Dice");
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].map((at) => element("span", { text: String(at), style: `left: ${100 * at}%` }));
  return element("div", { class: "axis", style: `--iou: ${data.colours.iou}; --dice: ${data.colours.dice}` }, key,
    element("div", { class: "track" }, ...ticks));
}

function details(row, data, open, number) {
  const node = element("details", { style: `--iou: ${data.colours.iou}; --dice: ${data.colours.dice}` },
    element("summary", {}, element("b", { text: row.title }), track(row, data.nothing)), element("p", { text: row.who }));
  node.open = open.has(number);
  node.addEventListener("toggle", () => (node.open ? open.add(number) : open.delete(number)));
  return node;
}

function track(row, nothing) {
  // IoU is never above Dice.
  if (row.dice === null || row.iou === null) return element("div", { class: "track" }, element("span", { text: nothing }));
  const [left, right] = [100 * row.iou, 100 * row.dice];
  return element("div", { class: "track" },
    element("u", { style: `left: ${left}%; width: ${right - left}%` }),
    element("i", { class: "iou", style: `left: ${left}%` }),
    element("i", { class: "dice", style: `left: ${right}%` }),
    element("span", { class: "iou-value", text: row.iou.toFixed(3), style: `right: calc(${100 - left}% + 10px)` }),
    element("span", { class: "dice-value", text: row.dice.toFixed(3), style: `left: calc(${right}% + 10px)` }));
}
