// What a person decides about photos, and which photos are shown in what order.

/** Marks of photos: picked or rejected, and stars; kept by the browser under a name. */
export class Choice {
  constructor(photos, name) {
    this.photos = photos;
    this.name = name;
    this.marks = new Map();
    this.restore();
  }

  of(photo) {
    return this.marks.get(photo.path) ?? { flag: null, rating: null };
  }

  /** Set the flag (pick, reject, null) or the rating (1 to 5, null) of a photo. */
  set(photo, change) {
    const mark = { ...this.of(photo), ...change };
    if (mark.flag || mark.rating) this.marks.set(photo.path, mark);
    else this.marks.delete(photo.path);
    this.keep();
  }

  count(flag) {
    return [...this.marks.values()].filter((mark) => mark.flag === flag).length;
  }

  /** Return what `blurmapper rank --apply` carries out. */
  asJson(folder) {
    const photos = this.photos
      .filter((photo) => this.marks.has(photo.path))
      .map((photo) => ({ photo: photo.path, ...this.of(photo) }));
    return JSON.stringify({ made_by: "blurmapper picks 1", folder, photos }, null, 1);
  }

  keep() {
    try {
      localStorage.setItem(this.name, JSON.stringify([...this.marks]));
    } catch {
      // Kept by the page alone, until it is closed.
    }
  }

  restore() {
    try {
      this.marks = new Map(JSON.parse(localStorage.getItem(this.name) ?? "[]"));
    } catch {
      this.marks = new Map();
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
    return Object.entries(filter.most).every(([name, most]) => most === null || !(photo.values[name] > most));
  });
  const folded = shown.filter((photo) => photo.burst === null || filter.unfolded.has(photo.burst) || isFirst(photo, shown, filter));
  const by = filter.order;
  if (by === "name") return folded.sort((one, other) => (one.path < other.path ? -1 : 1));
  if (by === "rank") return folded.sort((one, other) => one.rank - other.rank);
  return folded.sort((one, other) => (one.values[by] ?? Infinity) - (other.values[by] ?? Infinity) || one.rank - other.rank);
}

// The best of a burst stands for it; where a filter hides that one, the next best does.
function isFirst(photo, shown, filter) {
  if (!filter.fold) return true;
  filter.firsts ??= new Map();
  if (filter.firsts.of !== shown) {
    filter.firsts = new Map();
    filter.firsts.of = shown;
    for (const each of shown) {
      const first = filter.firsts.get(each.burst);
      if (each.burst !== null && (!first || each.rank < first.rank)) filter.firsts.set(each.burst, each);
    }
  }
  return filter.firsts.get(photo.burst) === photo;
}
