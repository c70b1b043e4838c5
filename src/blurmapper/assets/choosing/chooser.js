// All photos in one page, to look and choose: of a report, and of `blurmapper serve`.

import { Choice, chooseShown } from "./choice.js";
import { Compare } from "./compare.js";
import { figureOf, linesOf, made } from "./figures.js";
import { Filters } from "./filters.js";
import { Grid } from "./grid.js";
import { KEYS, listenForKeys } from "./keys.js";

const MOST_COMPARED = 4;
const LEAST_WIDTH = 190; // Of a photo beside others, in pixels.

export class Chooser {
  /**
   * Make the chooser of an element. What is chosen is kept by the browser under `name`, and saved
   * with `folder`; with `left`, it can be closed, which calls that with the photo looked at last.
   */
  constructor(element, { name, folder = "", left = null }) {
    this.element = element;
    this.left = left;
    this.folder = folder;
    this.photos = [];
    this.bursts = new Map();
    this.choice = new Choice([], name);
    const bar = element.appendChild(made("header", "filters"));
    this.filters = new Filters(bar, () => this.refresh());
    this.addButtons(bar);
    const [grid, status, compare] = [made("main", "grid"), made("footer", "status"), made("div", "compare")];
    element.append(grid, status, compare);
    this.status = status;
    status.setAttribute("role", "status");
    grid.setAttribute("role", "listbox");
    grid.setAttribute("aria-label", "Photos");
    grid.tabIndex = 0;
    compare.hidden = true;
    this.addKeys();
    this.compare = new Compare(compare, (photo) => this.describe(photo));
    this.grid = new Grid(grid, {
      paint: (tile, photo) => this.paint(tile, photo),
      open: () => this.look(),
      chosen: (photo) => this.say(photo),
    });
    this.listen();
  }

  /** Show photos, and choose one of them. */
  show(photos, chosen = null) {
    this.take(photos);
    this.refresh();
    if (this.grid.photos.includes(chosen)) this.grid.select(this.grid.photos.indexOf(chosen));
  }

  /** Show what is known of photos by now. Nothing moves while a person looks: new ones come last. */
  update(photos) {
    const shown = this.grid.photos;
    const added = photos.filter((photo) => !this.photos.includes(photo));
    this.take(photos);
    const wanted = chooseShown(added, this.choice, this.filters.filter);
    if (wanted.length > 0) this.grid.show([...shown, ...wanted]);
    this.grid.refresh();
    this.compare.refresh();
    this.showCounts();
    this.say(this.grid.photo);
  }

  take(photos) {
    this.photos = this.choice.photos = photos;
    this.bursts = new Map();
    for (const photo of photos) {
      if (photo.burst !== null) this.bursts.set(photo.burst, [...(this.bursts.get(photo.burst) ?? []), photo]);
    }
    this.filters.fit(photos);
  }

  focus() {
    this.grid.element.focus();
  }

  close() {
    this.compare.close();
    this.element.hidden = true;
    this.left(this.grid.photo);
  }

  refresh() {
    const { filter } = this.filters;
    if (!filter.fold) filter.unfolded = new Set(this.bursts.keys());
    this.grid.show(chooseShown(this.photos, this.choice, filter));
    // Keys mean the chosen photo, which another order may have put out of sight.
    this.grid.select(this.grid.at);
    this.showCounts();
  }

  showCounts() {
    this.filters.count.textContent = `${this.grid.photos.length} of ${this.photos.length} photos`;
    this.picks.textContent = `${this.choice.count("pick")} picked, ${this.choice.count("reject")} rejected`;
  }

  marksOf(photo) {
    const { flag, rating } = this.choice.of(photo);
    const marks = made("span", "marks");
    if (flag) marks.append(made("b", `is-${flag}`, flag === "pick" ? "picked" : "rejected"));
    if (rating) marks.append(made("b", "stars", "★".repeat(rating)));
    return marks;
  }

  paint(tile, photo) {
    const picture = made("div", "picture");
    for (const [name, url] of [["small", photo.thumb], ["tint", photo.overlay]]) {
      if (url) picture.append(Object.assign(new Image(), { className: name, src: url, alt: "", loading: "lazy" }));
    }
    if (photo.burst !== null) {
      const of = this.bursts.get(photo.burst).length;
      picture.append(made("span", photo.best ? "burst best" : "burst", photo.best ? `best of ${of}` : `one of ${of}`));
    }
    picture.append(this.marksOf(photo));
    const line = made("div", "line");
    line.append(made("span", "title", photo.name), made("span", "figure", figureOf(photo)));
    tile.replaceChildren(picture, line);
    if (photo.verdict) tile.append(made("div", `verdict ${photo.verdict.replaceAll(/[^a-z]/g, "-")}`, photo.verdict));
    tile.title = photo.path + (photo.reason ? `\n${photo.reason}` : "");
    tile.dataset.flag = this.choice.of(photo).flag ?? "";
  }

  describe(photo) {
    const parts = [made("strong", "", photo.name), made("span", "", `${photo.width} × ${photo.height}`)];
    parts.push(made("span", "", photo.verdict ?? "not judged"));
    parts.push(...linesOf(photo).map((line) => made("span", "", line)), this.marksOf(photo));
    if (photo.reason) parts.push(made("span", "reason", photo.reason));
    return parts;
  }

  say(photo) {
    const words = photo && [photo.path, photo.verdict, ...linesOf(photo), photo.reason];
    this.status.textContent = words ? words.filter(Boolean).join(" · ") : "Nothing to show: widen the filters.";
    if (photo && this.compare.isOpen && !this.compare.photos.includes(photo)) this.compare.open([photo]);
  }

  look() {
    if (this.compare.isOpen) this.compare.close();
    else if (this.grid.photo) this.compare.open([this.grid.photo]);
  }

  compareNext() {
    const { photo } = this.grid;
    if (!photo) return;
    const burst = this.bursts.get(photo.burst) ?? [];
    const others = burst.length > 1 ? burst.filter((other) => other !== photo) : this.grid.photos.slice(this.grid.at + 1);
    const most = Math.max(2, Math.min(MOST_COMPARED, Math.floor(this.element.clientWidth / LEAST_WIDTH)));
    this.compare.open([photo, ...others].slice(0, most));
  }

  mark(change) {
    const photo = this.compare.photo ?? this.grid.photo;
    if (!photo) return;
    this.choice.set(photo, change);
    this.grid.refresh(photo);
    this.compare.refresh();
    this.showCounts();
  }

  save() {
    const alike = this.choice.sharedNames();
    if (alike.length > 0) {
      this.status.textContent = `Not saved: photos of different folders are called ${alike[0]}; drop the folder that they are in.`;
      return;
    }
    const url = URL.createObjectURL(new Blob([this.choice.asJson(this.folder)], { type: "application/json" }));
    Object.assign(made("a"), { href: url, download: "picks.json" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    this.status.textContent = `Saved; now run: blurmapper rank ${this.folder ? "" : "FOLDER "}--apply picks.json (or what the browser called it)`;
  }

  fold() {
    const burst = this.grid.photo?.burst ?? null;
    const { unfolded } = this.filters.filter;
    if (burst === null) return;
    const { photo } = this.grid;
    if (!unfolded.delete(burst)) unfolded.add(burst);
    this.refresh();
    if (this.grid.photos.includes(photo)) return;
    // Of what is folded the best is left: keys must not mean a photo of another burst.
    const left = this.grid.photos.findIndex((other) => other.burst === burst);
    if (left >= 0) this.grid.select(left);
  }

  addButtons(bar) {
    const end = bar.appendChild(made("span", "end"));
    this.picks = end.appendChild(made("span", "picks"));
    const buttons = [["Keys", () => this.keys.showModal()], ["Save picks", () => this.save()]];
    if (this.left) buttons.push(["Back", () => this.close()]);
    for (const [text, action] of buttons) {
      const button = end.appendChild(made("button", "", text));
      button.type = "button";
      button.addEventListener("click", action);
    }
  }

  addKeys() {
    this.keys = this.element.appendChild(made("dialog"));
    const list = made("dl");
    list.append(...KEYS.flatMap(([key, does]) => [made("dt", "", key), made("dd", "", does)]));
    const close = made("button", "", "Close");
    close.addEventListener("click", () => this.keys.close());
    this.keys.append(made("h2", "", "Keys"), list, close);
  }

  listen() {
    const { grid, compare } = this;
    const actions = {
      move: (columns, rows) => {
        if (!compare.isOpen) grid.move(columns, rows);
        else if (compare.photos.length > 1) compare.select(compare.at + columns + rows);
        else grid.move(columns + rows);
      },
      page: (pages) => grid.move(0, pages * grid.rowsInSight),
      jump: (first) => grid.select(first ? 0 : Infinity),
      flag: (flag) => this.mark({ flag }),
      rate: (rating) => this.mark({ rating }),
      look: () => this.look(),
      back: () => {
        if (compare.isOpen) compare.close();
        else if (this.left) this.close();
      },
      compare: () => this.compareNext(),
      zoom: () => (compare.isOpen ? compare.zoom() : ((compare.real = true), this.look())),
      overlay: () => {
        this.element.classList.toggle("tinted");
        compare.toggleOverlay();
      },
      fold: () => this.fold(),
      help: () => this.keys.showModal(),
    };
    // Keys that do nothing here, behind a dialog or closed, keep their other meaning.
    const isIdle = () => this.element.hidden || this.keys.open;
    const whenOpen = (action) => (...given) => (isIdle() ? true : action(...given));
    listenForKeys(Object.fromEntries(Object.entries(actions).map(([name, action]) => [name, whenOpen(action)])));
  }
}
