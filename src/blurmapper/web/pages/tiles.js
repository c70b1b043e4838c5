// The photos of this page as the chooser shows them: ranked, and in bursts.

// As blurmapper.ranking.bursts has them.
const LONGEST_GAP = 2000;
const MOST_DIFFERING_BITS = 10;

/** Return a tile for each photo that is mapped; the same one again for the same photo. */
export function tilesOf(photos) {
  const tiles = photos.filter(({ state }) => state === "done").map(tileOf);
  const ranked = byFocus(tiles.map(({ source }) => source));
  ranked.forEach((photo, place) => Object.assign(photo.tile, { rank: place + 1, burst: null, best: false }));
  burstsOf(ranked).forEach((burst, number) => {
    for (const photo of burst.flat()) Object.assign(photo.tile, { burst: number + 1, best: burst[0].includes(photo) });
  });
  return tiles;
}

/** Return photos in the order of `blurmapper rank --group-bursts`; those that are not judged come last. */
export function byFocus(photos) {
  const judged = photos.filter(({ figures }) => figures?.order);
  judged.sort((one, other) => compare(one.figures.order, other.figures.order) || compareText(one.name, other.name));
  const ranked = [...judged];
  const placeOf = placesOf(judged);
  for (const burst of burstsOf(judged).map((exposures) => exposures.flat())) {
    const ranks = burst.map((photo) => placeOf.get(photo)).sort((one, other) => one - other);
    for (const [place, photo] of burst.entries()) ranked[ranks[place]] = photo;
  }
  return [...ranked, ...photos.filter((photo) => !placeOf.has(photo))];
}

// The bursts among photos in the order of their focus: of each its exposures, the best first, and of
// each of these its files, such as RAW and JPEG.
function burstsOf(ranked) {
  const framed = ranked.filter(({ figures }) => figures?.taken);
  framed.sort(
    (one, other) =>
      compareText(one.figures.camera, other.figures.camera) ||
      compareText(one.figures.taken, other.figures.taken) ||
      compareText(one.name, other.name),
  );
  const placeOf = placesOf(ranked);
  const worth = (photo) => [photo.figures.order[0], -photo.figures.detail, placeOf.get(photo)];
  const bursts = runsOf(framed).map((run) => {
    const exposures = new Map();
    run.sort((one, other) => compare(worth(one), worth(other)));
    for (const photo of run) exposures.set(exposureOf(photo), [...(exposures.get(exposureOf(photo)) ?? []), photo]);
    return [...exposures.values()].map((files) => files.sort((one, other) => placeOf.get(one) - placeOf.get(other)));
  });
  return bursts.filter(({ length }) => length > 1);
}

// What belongs together of photos by camera and time, be it by way of others.
function runsOf(framed) {
  const [frames, joined, exposures, runs] = [framed.map(frameOf), [...framed.keys()], new Map(), new Map()];
  const first = (at) => (joined[at] === at ? at : (joined[at] = first(joined[at])));
  const join = (one, other) => (joined[Math.max(first(one), first(other))] = Math.min(first(one), first(other)));
  let start = 0;
  for (const [at, photo] of framed.entries()) {
    while (start < at && !isSoonAfter(frames[start], frames[at])) start += 1;
    for (let other = start; other < at; other += 1) {
      if (differingBits(frames[other], frames[at]) <= MOST_DIFFERING_BITS) join(other, at);
    }
    join(exposures.get(exposureOf(photo)) ?? at, at);
    exposures.set(exposureOf(photo), at);
  }
  for (const [at, photo] of framed.entries()) (runs.get(first(at)) ?? runs.set(first(at), []).get(first(at))).push(photo);
  return [...runs.values()];
}

function placesOf(photos) {
  return new Map(photos.map((photo, place) => [photo, place]));
}

// What runs go by, read once of each photo: numbers of 32 bits are compared far faster than one of 64.
function frameOf({ figures: { camera, taken, fingerprint } }) {
  // Cameras tell their own clocks, which no summer time may move.
  return { camera, taken: Date.parse(`${taken}Z`), halves: [0, 8].map((at) => parseInt(fingerprint.slice(at, at + 8), 16)) };
}

// What the files of one exposure share: their name but for its suffix, and the time.
function exposureOf({ name, figures }) {
  return `${name.replace(/\.[^./]+$/, "")}|${figures.taken}`;
}

function isSoonAfter(before, after) {
  return before.camera === after.camera && after.taken - before.taken <= LONGEST_GAP;
}

function differingBits(one, other) {
  return countBits(one.halves[0] ^ other.halves[0]) + countBits(one.halves[1] ^ other.halves[1]);
}

function countBits(half) {
  const pairs = half - ((half >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
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
