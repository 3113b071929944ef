"""Two small components: the gallery of networks in order of history, and a diagram with its legend.

The drawings are SVG that `diagram.py` makes; here they are put on the page, take the theme's colours, and light up
what is connected to the block under the pointer. Nothing that a visitor typed is ever part of them.
"""

from collections.abc import Callable
from typing import Any

import streamlit as st

from segdemo.ui.components import FOLDER
from segdemo.ui.diagram import COLOURS

__all__ = ["network_diagram", "network_gallery"]

COMMON_JS = """
function drawing(svg) {
  return document.importNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement, true);
}
"""

GALLERY_CSS = """
.gallery { display: grid; grid-template-columns: repeat(9, minmax(0, 1fr)); gap: 6px; padding: 2px; }
.gallery button { padding: 4px 5px 3px; text-align: left; overflow: hidden; line-height: 1.25; }
.gallery button[aria-current="true"] { border-color: var(--st-primary-color); box-shadow: 0 0 0 1px var(--st-primary-color); }
.gallery svg { display: block; width: 92%; height: 25px; margin: 1px auto 0; }
.gallery .thin { stroke: var(--st-text-color); stroke-opacity: 0.4; fill: none; vector-effect: non-scaling-stroke; }
.gallery span { display: block; font-size: 12px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.gallery .name { font-weight: 600; letter-spacing: -0.015em; }
.gallery .year { color: color-mix(in srgb, var(--st-text-color) 72%, transparent); }
@media (max-width: 900px) {
  .gallery { display: flex; overflow-x: auto; }
  .gallery button { flex: 0 0 104px; }
}
"""

GALLERY_JS = """
export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const root = parentElement.querySelector(".root");
  const gallery = element("div", { class: "gallery", role: "group", "aria-label": data.label });
  for (const item of data.items) {
    const chosen = item.key === data.chosen;
    const text = [element("span", { class: "year", text: item.year }), element("span", { class: "name", text: item.title })];
    const button = element("button", { type: "button", "aria-current": String(chosen), title: item.hint }, ...text);
    if (item.svg) button.append(drawing(item.svg));
    button.addEventListener("click", () => setTriggerValue("chosen", item.key));
    gallery.append(button);
  }
  const scrolled = root.firstElementChild ? root.firstElementChild.scrollLeft : null;
  root.replaceChildren(gallery);
  const current = gallery.querySelector('[aria-current="true"]');
  if (scrolled !== null) gallery.scrollLeft = scrolled;
  else if (current) gallery.scrollLeft = current.offsetLeft - gallery.clientWidth / 2 + current.clientWidth / 2;
}
"""

DIAGRAM_CSS = """
.scroll { overflow-x: auto; overflow-y: hidden; }
.scroll svg { display: block; margin: 0 auto; font-family: var(--st-font); }
svg text { font-size: 11.5px; fill: var(--st-text-color); paint-order: stroke; stroke: var(--st-background-color);
  stroke-width: 3px; stroke-linejoin: round; }
svg .block text { text-anchor: middle; }
svg .line0 { font-weight: 600; }
svg .step, svg .axis { font-size: 11px; fill-opacity: 0.82; }
svg .main { fill: none; stroke: currentColor; stroke-width: 1.4; stroke-opacity: 0.6; }
svg .skip { fill: none; stroke-width: 1.7; }
svg .dashed { stroke-dasharray: 5 4; }
svg .gate circle { fill: var(--st-background-color); stroke: currentColor; }
svg .gate path { fill: none; stroke: currentColor; stroke-width: 1.5; }
svg .edge, svg .block { transition: opacity 0.12s; }
svg.dim .edge:not(.lit), svg.dim .block:not(.lit) { opacity: 0.16; }
.legend { display: flex; flex-wrap: wrap; gap: 3px 14px; font-size: 12.5px; }
.legend span { display: inline-flex; align-items: center; gap: 6px; }
.legend svg { width: 22px; height: 15px; overflow: visible; }
.legend i { width: 12px; height: 12px; border-radius: 3px; }
"""

DIAGRAM_JS = """
export default function (component) {
  const { parentElement, data } = component;
  const root = parentElement.querySelector(".root");
  const svg = drawing(data.svg);
  const scroll = element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": data.label }, svg);
  const legend = element("div", { class: "legend" });
  for (const item of data.legend) {
    const sign = item.svg ? [drawing(item.svg)] : item.color ? [element("i", { style: `background: ${item.color}` })] : [];
    legend.append(element("span", {}, ...sign, document.createTextNode(item.text)));
  }
  const light = (name) => {
    svg.classList.toggle("dim", name !== null);
    const near = new Set([name]);
    for (const edge of svg.querySelectorAll(".edge")) {
      const lit = edge.dataset.from === name || edge.dataset.to === name;
      edge.classList.toggle("lit", lit);
      if (lit) near.add(edge.dataset.from).add(edge.dataset.to);
    }
    for (const block of svg.querySelectorAll(".block")) block.classList.toggle("lit", near.has(block.dataset.name));
  };
  for (const block of svg.querySelectorAll(".block")) {
    block.addEventListener("pointerenter", () => light(block.dataset.name));
    block.addEventListener("pointerleave", () => light(null));
  }
  const scrolled = root.firstElementChild ? root.firstElementChild.scrollLeft : 0;
  root.replaceChildren(scroll, legend);
  scroll.scrollLeft = scrolled;
  root.dataset.ready = "";
}
"""


def _declare(name: str, css: str, js: str) -> Callable[..., Any]:
    shared_js, shared_css = ((FOLDER / f"shared.{kind}").read_text() for kind in ("js", "css"))
    html = '<div class="root"></div>'
    return st.components.v2.component(f"segdemo_{name}", html=html, css=shared_css + css, js=shared_js + COMMON_JS + js)


_SOURCES = "".join(f"svg .from-{kind} {{ stroke: {colour}; }}\n" for kind, colour in COLOURS.items())
network_gallery = _declare("network_gallery", GALLERY_CSS, GALLERY_JS)
network_diagram = _declare("network_diagram", DIAGRAM_CSS + _SOURCES, DIAGRAM_JS)
