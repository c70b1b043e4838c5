// Photos as a grid of small pictures; only those in sight are in the page.

const AHEAD = 2;

export class Grid {
  /** Show photos in an element that scrolls; `paint` fills a tile, `open` is called on a choice. */
  constructor(element, { paint, open, chosen }) {
    this.element = element;
    this.paint = paint;
    this.chosen = chosen;
    this.photos = [];
    this.at = 0;
    this.tiles = new Map();
    this.inside = element.appendChild(document.createElement("div"));
    this.inside.className = "tiles";
    element.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(element);
    this.inside.addEventListener("click", (event) => {
      const tile = event.target.closest(".tile");
      if (tile) this.select(Number(tile.dataset.place));
    });
    this.inside.addEventListener("dblclick", () => open());
  }

  get photo() {
    return this.photos[this.at] ?? null;
  }

  /** Show other photos; the one that was chosen stays so where it is among them. */
  show(photos) {
    const before = this.photo;
    this.photos = photos;
    const place = before ? photos.indexOf(before) : -1;
    this.at = place >= 0 ? place : Math.max(0, Math.min(this.at, photos.length - 1));
    for (const tile of this.tiles.values()) tile.remove();
    this.tiles.clear();
    this.draw();
    this.chosen(this.photo);
  }

  select(place) {
    if (this.photos.length === 0) return;
    this.at = Math.max(0, Math.min(place, this.photos.length - 1));
    this.reveal();
    this.draw();
    this.chosen(this.photo);
  }

  move(columns, rows = 0) {
    this.select(this.at + columns + rows * this.columns);
  }

  get size() {
    const style = getComputedStyle(this.element);
    return [parseFloat(style.getPropertyValue("--tile-width")), parseFloat(style.getPropertyValue("--tile-height"))];
  }

  get columns() {
    return Math.max(1, Math.floor(this.element.clientWidth / this.size[0]));
  }

  get rowsInSight() {
    return Math.max(1, Math.floor(this.element.clientHeight / this.size[1]));
  }

  reveal() {
    const height = this.size[1];
    const top = Math.floor(this.at / this.columns) * height;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    if (top + height > scrollTop + clientHeight) this.element.scrollTop = top + height - clientHeight;
  }

  /** Draw anew what may have changed of a photo, or of all. */
  refresh(photo = null) {
    for (const [place, tile] of this.tiles) {
      if (!photo || this.photos[place] === photo) this.paint(tile, this.photos[place]);
    }
  }

  draw() {
    const [width, height] = this.size;
    const columns = this.columns;
    const rows = Math.ceil(this.photos.length / columns);
    this.inside.style.height = `${rows * height}px`;
    const first = Math.max(0, Math.floor(this.element.scrollTop / height) - AHEAD) * columns;
    const last = Math.min(this.photos.length, (Math.ceil((this.element.scrollTop + this.element.clientHeight) / height) + AHEAD) * columns);
    for (const [place, tile] of this.tiles) {
      if (place >= first && place < last) continue;
      tile.remove();
      this.tiles.delete(place);
    }
    for (let place = first; place < last; place += 1) {
      if (!this.tiles.has(place)) this.tiles.set(place, this.makeTile(place));
      const tile = this.tiles.get(place);
      tile.style.transform = `translate(${(place % columns) * width}px, ${Math.floor(place / columns) * height}px)`;
      tile.setAttribute("aria-current", String(place === this.at));
    }
  }

  makeTile(place) {
    const tile = document.createElement("div");
    tile.className = "tile";
    tile.dataset.place = place;
    tile.setAttribute("role", "option");
    this.inside.append(tile);
    this.paint(tile, this.photos[place]);
    return tile;
  }
}
