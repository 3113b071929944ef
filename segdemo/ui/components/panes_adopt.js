// What comes from Python: settings that still fit are kept, and each picture is fetched once.

function adopt(panes, data) {
  // Settings that the new panes cannot have give way; all others stay, the zoom too unless it is another picture.
  const previous = panes.data?.pictureKey ?? remembered.picture;
  panes.data = data;
  if (previous !== data.pictureKey) { panes.view = wholePicture(); panes.probe = null; }
  const usable = data.panes.filter((pane) => !pane.problem);
  const models = usable.filter((pane) => pane.kind !== "picture");
  const has = (list, key) => list.some((pane) => pane.key === key);
  if (!data.modes.includes(panes.mode)) panes.mode = data.modes[0];
  if (!has(usable, panes.first)) panes.first = (models[0] ?? data.panes[0]).key;
  if (!has(usable, panes.second) || panes.second === panes.first) panes.second = (models.find((pane) => pane.key !== panes.first) ?? data.panes.find((pane) => pane.key !== panes.first) ?? data.panes[0]).key;
  if (!has(usable.filter((pane) => pane.table), panes.reference)) panes.reference = usable.find((pane) => pane.table)?.key ?? null;
}

async function fetchPictures(panes, data) {
  // Each address once; what no pane refers to any more is dropped.
  const wanted = { maps: new Set(), probs: new Set() };
  for (const pane of data.panes) { if (pane.labels) wanted.maps.add(pane.labels); if (pane.probs) wanted.probs.add(pane.probs); }
  for (const kind of ["maps", "probs"]) for (const url of panes[kind].keys()) if (!wanted[kind].has(url)) panes[kind].delete(url);
  if (panes.pictureUrl !== data.image) {
    panes.picture = null;
    const picture = await loadImage(data.image);
    if (panes.data !== data) return;
    [panes.picture, panes.pictureUrl] = [picture, data.image];
  }
  await Promise.all([...wanted.maps].filter((url) => !panes.maps.has(url)).map(async (url) => { panes.maps.set(url, sameLabels(await loadPixels(url))); }));
  if (panes.data === data) redraw(panes);
  await Promise.all([...wanted.probs].filter((url) => !panes.probs.has(url)).map(async (url) => { panes.probs.set(url, await loadPixels(url)); }));
}
