// The panes' toolbar: arrangement, what is drawn over the picture, opacity, the two that are compared, and the zoom.

function choiceOf(onChange) {
  // A group of buttons of which one is on; its options come with the data.
  const group = element("div", { class: "choice", role: "group" });
  return {
    group,
    set(label, options, chosen) {
      group.setAttribute("aria-label", label);
      const text = JSON.stringify([options, chosen]);
      if (group.dataset.shown === text) return; // rebuilt only if it changed, so that it keeps the focus
      group.dataset.shown = text;
      const focused = group.contains(group.getRootNode().activeElement) ? group.getRootNode().activeElement.dataset.value : null;
      group.replaceChildren(...options.map(({ key, title, hint }) => {
        const button = element("button", { type: "button", text: title, title: hint, "data-value": key, "aria-pressed": String(key === chosen) });
        button.addEventListener("click", () => onChange(key));
        return button;
      }));
      if (focused) group.querySelector(`[data-value="${focused}"]`)?.focus();
    },
  };
}

function pickerOf(onChange) {
  const select = element("select");
  select.addEventListener("change", () => onChange(select.value));
  const label = element("label", { class: "picker" }, element("span"), select);
  return {
    label,
    set(title, options, chosen) {
      label.firstChild.textContent = title;
      select.setAttribute("aria-label", title);
      const text = JSON.stringify(options);
      if (select.dataset.shown !== text) {
        select.dataset.shown = text;
        select.replaceChildren(...options.map(({ key, title: name }) => element("option", { value: key, text: name })));
      }
      select.value = chosen;
    },
  };
}

function sliderOf(low, high, step, onInput) {
  const input = element("input", { type: "range", min: low, max: high, step });
  const value = element("output");
  input.addEventListener("input", () => onInput(Number(input.value)));
  const label = element("label", { class: "slider" }, element("span"), input, value);
  return {
    label,
    set(title, number, words) {
      label.firstChild.textContent = title;
      input.setAttribute("aria-label", title);
      input.value = String(number);
      input.style.setProperty("--done", `${(100 * (number - low)) / (high - low)}%`);
      input.setAttribute("aria-valuetext", words);
      value.textContent = words;
    },
  };
}

function iconButton(path) {
  const button = element("button", { type: "button", class: "icon" });
  button.append(vector("svg", { viewBox: "0 0 24 24", width: "18", height: "18", "aria-hidden": "true" }, vector("path", { d: path })));
  return button;
}

function named(button, text) {
  button.title = text;
  button.setAttribute("aria-label", text);
}

function makeToolbar(panes) {
  const change = (name) => (value) => { panes[name] = value; panes.changed(name); };
  const bar = {
    layout: choiceOf(change("layout")),
    mode: choiceOf(change("mode")),
    extras: element("div", { class: "choice extras", role: "group" }),
    reference: pickerOf(change("reference")),
    opacity: sliderOf(0, 100, 5, (value) => { panes.opacity = value / 100; panes.changed("opacity"); }),
    first: pickerOf(change("first")),
    second: pickerOf(change("second")),
    speed: sliderOf(0.5, 3, 0.5, change("speed")),
    play: iconButton(PLAY_ICONS.play),
    minus: iconButton("M5 11h14v2H5z"),
    plus: iconButton("M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z"),
    whole: iconButton("M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z"),
    percent: element("span", { class: "percent" }),
  };
  bar.play.classList.add("play");
  bar.play.addEventListener("click", () => panes.setPlaying(!panes.playing));
  bar.minus.addEventListener("click", () => panes.zoomBy(1 / ZOOM_STEP));
  bar.plus.addEventListener("click", () => panes.zoomBy(ZOOM_STEP));
  bar.whole.addEventListener("click", () => panes.look(wholePicture()));
  bar.zoom = element("div", { class: "zoom", role: "group" }, bar.minus, bar.percent, bar.plus, bar.whole);
  bar.pair = element("div", { class: "pair" }, bar.first.label, bar.second.label, bar.play, bar.speed.label);
  bar.root = element("div", { class: "toolbar" }, bar.layout.group, bar.mode.group, bar.extras, bar.opacity.label, bar.zoom);
  bar.under = element("div", { class: "toolbar under" }, bar.pair, bar.reference.label);
  return bar;
}

function describeToolbar(panes) {
  const { bar, data } = panes, { words } = data;
  const option = (key) => ({ key, title: words[key], hint: words[`${key}Hint`] ?? null });
  bar.layout.set(words.layout, ["grid", "blink", "divider"].map(option), panes.layout);
  bar.mode.set(words.mode, data.modes.map(option), panes.mode);
  bar.mode.group.classList.toggle("hidden", data.modes.length < 2);
  const extras = data.panes.filter((pane) => pane.optional);
  bar.extras.setAttribute("aria-label", words.extras);
  bar.extras.classList.toggle("hidden", !extras.length || panes.layout !== "grid");
  if (bar.extras.dataset.shown !== JSON.stringify(extras.map((pane) => pane.title))) {
    bar.extras.dataset.shown = JSON.stringify(extras.map((pane) => pane.title));
    bar.extras.replaceChildren(...extras.map((pane) => {
      const button = element("button", { type: "button", text: pane.title, title: pane.hint, "data-value": pane.key });
      button.addEventListener("click", () => { panes.shown.has(pane.key) ? panes.shown.delete(pane.key) : panes.shown.add(pane.key); panes.changed("shown"); });
      return button;
    }));
  }
  for (const button of bar.extras.children) button.setAttribute("aria-pressed", String(panes.shown.has(button.dataset.value)));
  const usable = data.panes.filter((pane) => !pane.problem).map(({ key, title }) => ({ key, title }));
  bar.first.set(words.first, usable, panes.first);
  bar.second.set(words.second, usable, panes.second);
  bar.reference.set(words.reference, data.panes.filter((pane) => pane.table && !pane.problem).map(({ key, title }) => ({ key, title })), panes.reference);
  bar.reference.label.classList.toggle("hidden", panes.mode !== "difference");
  bar.pair.classList.toggle("hidden", panes.layout === "grid");
  bar.play.classList.toggle("hidden", panes.layout !== "blink");
  bar.speed.label.classList.toggle("hidden", panes.layout !== "blink");
  bar.under.classList.toggle("hidden", panes.layout === "grid" && panes.mode !== "difference");
  bar.opacity.label.classList.toggle("hidden", panes.mode === "contour" && data.panes.every((pane) => pane.kind !== "heat"));
  bar.opacity.set(words.opacity, Math.round(panes.opacity * 100), `${Math.round(panes.opacity * 100)} %`);
  bar.speed.set(words.speed, panes.speed, filled(words.perSecond, { n: panes.speed }));
  bar.play.querySelector("path").setAttribute("d", PLAY_ICONS[panes.playing ? "pause" : "play"]);
  named(bar.play, panes.playing ? words.pause : words.play);
  bar.zoom.setAttribute("aria-label", words.zoom);
  named(bar.minus, words.zoomOut);
  named(bar.plus, words.zoomIn);
  named(bar.whole, words.whole);
  bar.percent.textContent = `${panes.view.zoom < 10 ? Math.round(panes.view.zoom * 10) / 10 : Math.round(panes.view.zoom)}×`;
  bar.minus.disabled = bar.whole.disabled = panes.view.zoom <= 1;
  bar.plus.disabled = panes.view.zoom >= LARGEST_ZOOM;
}
