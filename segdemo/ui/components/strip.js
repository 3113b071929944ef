// The filmstrip: one thumbnail a picture, each with its own result; a click chooses the picture that the page shows.

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const root = parentElement.querySelector(".root");
  const strip = element("div", { class: "strip", role: "group", "aria-label": data.label });
  for (const item of data.items) {
    const image = element("img", { alt: "", src: absolute(item.image) });
    const button = element("button", { type: "button", "aria-current": String(item.key === data.active), title: item.name },
      image, element("span", { class: "name", text: item.name }), element("span", { class: "note", text: item.note }));
    button.addEventListener("click", () => setTriggerValue("chosen", item.key));
    strip.append(button);
  }
  const scrolled = root.firstElementChild ? root.firstElementChild.scrollLeft : 0;
  root.replaceChildren(strip);
  strip.scrollLeft = scrolled;
}
