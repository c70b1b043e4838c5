// What a person decides about photos, and which photos are shown in what order.

// Paths say too little: other photos come to have them, and dropped files have names alone.
const keyOf = (photo) => photo.key ?? photo.path;

/** Marks of photos: picked or rejected, and stars; kept by the browser under a name. */
export class Choice {
  constructor(photos, name) {
    this.photos = photos;
    this.name = name;
    this.marks = new Map();
    this.isKept = true;
    this.restore();
  }

  of(photo) {
    return this.marks.get(keyOf(photo)) ?? { flag: null, rating: null };
  }

  /** Set the flag (pick, reject, "" for neither) or the rating (0 to 5); null is what was never said. */
  set(photo, change) {
    // Another tab may have marked other photos since.
    this.restore();
    // What is taken back is kept as well, for it may have been carried out already.
    this.marks.set(keyOf(photo), { ...this.of(photo), ...change });
    this.keep();
  }

  count(flag) {
    return this.photos.filter((photo) => this.of(photo).flag === flag).length;
  }

  /** Return the names that several photos have, of which one at least is marked. */
  sharedNames() {
    this.restore();
    const keys = new Map();
    for (const photo of this.photos) keys.set(photo.path, (keys.get(photo.path) ?? new Set()).add(keyOf(photo)));
    return [...keys].filter(([, alike]) => alike.size > 1 && [...alike].some((key) => this.marks.has(key))).map(([path]) => path);
  }

  /** Return what `blurmapper rank --apply` carries out. */
  asJson(folder) {
    this.restore();
    const photos = this.photos
      .filter((photo) => this.marks.has(keyOf(photo)))
      .map((photo) => [photo.path, { photo: photo.path, ...this.of(photo) }]);
    // A photo that was added twice is one.
    return JSON.stringify({ made_by: "blurmapper picks 1", folder, photos: [...new Map(photos).values()] }, null, 1);
  }

  keep() {
    try {
      localStorage.setItem(this.name, JSON.stringify([...this.marks]));
    } catch {
      // Kept by the page alone, until it is closed.
      this.isKept = false;
    }
  }

  restore() {
    try {
      const kept = this.isKept ? localStorage.getItem(this.name) : null;
      if (kept !== null) this.marks = new Map(JSON.parse(kept));
    } catch {
      // What is known stays.
    }
  }
}

/** Return the photos that a filter lets through, in its order; of a folded burst the best alone. */
export function chooseShown(photos, choice, filter) {
  const shown = photos.filter((photo) => {
    const { flag, rating } = choice.of(photo);
    if (filter.flag === "undecided" && (flag || rating)) return false;
    if (["pick", "reject"].includes(filter.flag) && flag !== filter.flag) return false;
    if (/^[1-5]$/.test(filter.flag) && (rating ?? 0) < Number(filter.flag)) return false;
    if (filter.verdict && photo.verdict !== filter.verdict) return false;
    if (filter.name && !photo.path.toLowerCase().includes(filter.name.toLowerCase())) return false;
    return Object.entries(filter.most).every(([name, most]) => most === null || !((photo.values[name] ?? -1) > most));
  });
  const folded = shown.filter((photo) => photo.burst === null || filter.unfolded.has(photo.burst) || isFirst(photo, shown, filter));
  const by = filter.order;
  if (by === "name") return folded.sort((one, other) => (one.path < other.path ? -1 : 1));
  if (by === "rank") return folded.sort((one, other) => one.rank - other.rank);
  return folded.sort((one, other) => (one.values[by] ?? Infinity) - (other.values[by] ?? Infinity) || one.rank - other.rank);
}

// The best of a burst stands for it, in all its files; where a filter hides those, the next best does.
function isFirst(photo, shown, filter) {
  if (!filter.fold) return true;
  filter.firsts ??= new Map();
  if (filter.firsts.of !== shown) {
    filter.firsts = new Map();
    filter.firsts.of = shown;
    for (const each of shown) {
      const first = filter.firsts.get(each.burst);
      if (each.burst !== null && (!first || (!first.best && (each.best || each.rank < first.rank)))) filter.firsts.set(each.burst, each);
    }
  }
  const first = filter.firsts.get(photo.burst);
  return first === photo || (first.best && photo.best);
}
