// The photos of this page as the chooser shows them: ranked, and in bursts.

// As blurmapper.ranking.selection has them.
const LONGEST_GAP = 2000;
const MOST_DIFFERING_BITS = 10;

/** Return a tile for each photo that is mapped; the same one again for the same photo. */
export function tilesOf(photos) {
  const tiles = photos.filter(({ state }) => state === "done").map(tileOf);
  const ranked = byFocus(tiles.map(({ source }) => source));
  ranked.forEach((photo, place) => Object.assign(photo.tile, { rank: place + 1, burst: null, best: false }));
  burstsOf(ranked).forEach((burst, number) => {
    for (const photo of burst) photo.tile.burst = number + 1;
    burst.reduce((best, photo) => (compare(worthOf(photo), worthOf(best)) < 0 ? photo : best)).tile.best = true;
  });
  return tiles;
}

/** Return photos in the order of `blurmapper rank`; those that are not judged come last. */
export function byFocus(photos) {
  const judged = photos.filter(({ figures }) => figures?.order);
  judged.sort((one, other) => compare(one.figures.order, other.figures.order) || compareText(one.name, other.name));
  return [...judged, ...photos.filter((photo) => !judged.includes(photo))];
}

/** Return the runs of photos that follow each other in a burst. */
export function burstsOf(photos) {
  const framed = photos.filter(({ figures }) => figures?.taken);
  framed.sort(
    (one, other) =>
      compareText(one.figures.camera, other.figures.camera) ||
      compareText(one.figures.taken, other.figures.taken) ||
      compareText(one.name, other.name),
  );
  const runs = [];
  for (const photo of framed) {
    const run = runs.at(-1);
    if (run && follows(run.at(-1).figures, photo.figures)) run.push(photo);
    else runs.push([photo]);
  }
  return runs.filter(({ length }) => length > 1);
}

// Of those that are to be kept the one of most detail.
function worthOf({ figures, tile }) {
  return [figures.order[0], -figures.detail, tile.rank];
}

function follows(before, after) {
  // Cameras tell their own clocks, which no summer time may move.
  const gap = Date.parse(`${after.taken}Z`) - Date.parse(`${before.taken}Z`);
  return before.camera === after.camera && gap <= LONGEST_GAP && differingBits(before, after) <= MOST_DIFFERING_BITS;
}

function differingBits(one, other) {
  const differing = BigInt(`0x${one.fingerprint}`) ^ BigInt(`0x${other.fingerprint}`);
  return differing.toString(2).replaceAll("0", "").length;
}

function compare(one, other) {
  for (const [place, value] of one.entries()) {
    const [here, there] = [value ?? Infinity, other[place] ?? Infinity];
    if (here !== there) return here - there;
  }
  return 0;
}

function compareText(one, other) {
  return one < other ? -1 : Number(one > other);
}

function tileOf(photo) {
  const { width, height, sharpest, sigma, focus_x: x, focus_y: y, subject_x: column, subject_y: row } = photo.figures;
  const middle = [(sharpest.x + sharpest.width / 2) / width, (sharpest.y + sharpest.height / 2) / height];
  const focus = typeof x === "number" ? [x / width, y / height] : middle;
  const crops = [{ label: "at the sharpest place", url: photo.url, place: focus }];
  if (column !== undefined) crops.unshift({ label: "amid what is sharp", url: photo.url, place: [column / width, row / height] });
  photo.tile ??= { source: photo };
  return Object.assign(photo.tile, {
    key: photo.key,
    path: photo.name,
    name: photo.name,
    width,
    height,
    thumb: photo.thumb,
    overlay: photo.tint,
    full: photo.url,
    focus,
    crops,
    verdict: photo.figures.verdict ?? null,
    reason: photo.figures.reason ?? photo.notJudged,
    values: {
      sigma,
      blur_degree: photo.figures.blur_degree,
      share_blurred: photo.figures.share_blurred,
      sharpest_blur: sharpest.blur,
    },
  });
}
