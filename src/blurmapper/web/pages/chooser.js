// All photos over the page, as in the report of a ranking: a grid, a comparison, keys.

import { Choice } from "../choosing/choice.js";
import { Compare } from "../choosing/compare.js";
import { Grid } from "../choosing/grid.js";
import { KEYS, listenForKeys } from "../choosing/keys.js";
import { saveAs } from "./saving.js";

const MOST_COMPARED = 4;

export class Chooser {
  /** `choose` is called with the photo that was last looked at. */
  constructor(element, { choose }) {
    this.element = element;
    this.choose = choose;
    this.choice = new Choice([], "blurmapper page");
    const head = element.appendChild(document.createElement("header"));
    this.status = head.appendChild(made("span", "quiet"));
    head.append(this.button("Save picks", () => this.save()), this.button("Back", () => this.close()));
    const grid = element.appendChild(made("div", "grid"));
    grid.tabIndex = 0;
    const compare = element.appendChild(made("div", "compare"));
    compare.hidden = true;
    this.grid = new Grid(grid, { paint: (tile, photo) => this.paint(tile, photo), open: () => this.look(), chosen: () => this.say() });
    this.compare = new Compare(compare, (photo) => this.describe(photo));
    listenForKeys(this.actions());
  }

  open(photos, chosen) {
    this.element.hidden = false;
    this.choice.photos = photos.map(toTile);
    this.grid.show(this.choice.photos);
    this.grid.select(Math.max(0, photos.indexOf(chosen)));
    this.grid.element.focus();
  }

  close() {
    this.compare.close();
    this.element.hidden = true;
    if (this.grid.photo) this.choose(this.grid.photo.source);
  }

  look() {
    if (this.compare.isOpen) this.compare.close();
    else if (this.grid.photo) this.compare.open([this.grid.photo]);
  }

  mark(change) {
    const photo = this.compare.photo ?? this.grid.photo;
    if (!photo) return;
    this.choice.set(photo, change);
    this.grid.refresh(photo);
    this.compare.refresh();
    this.say();
  }

  save() {
    const content = new Blob([this.choice.asJson("")], { type: "application/json" });
    saveAs(URL.createObjectURL(content), "picks.json");
  }

  say() {
    const { photo, photos } = this.grid;
    const picked = `${this.choice.count("pick")} picked, ${this.choice.count("reject")} rejected`;
    const keys = KEYS.slice(0, 5).map(([key]) => key).join(" · ");
    this.status.textContent = `${photos.length} photos, ${picked}${photo ? ` · ${photo.path}` : ""} · ${keys} · z`;
    if (photo && this.compare.isOpen && !this.compare.photos.includes(photo)) this.compare.open([photo]);
  }

  actions() {
    const whenOpen = (action) => (...given) => this.element.hidden || action(...given);
    const actions = {
      move: (columns, rows) => {
        if (!this.compare.isOpen) this.grid.move(columns, rows);
        else if (this.compare.photos.length > 1) this.compare.select(this.compare.at + columns + rows);
        else this.grid.move(columns + rows);
      },
      page: (pages) => this.grid.move(0, pages * this.grid.rowsInSight),
      jump: (first) => this.grid.select(first ? 0 : Infinity),
      flag: (flag) => this.mark({ flag }),
      rate: (rating) => this.mark({ rating }),
      look: () => this.look(),
      back: () => (this.compare.isOpen ? this.compare.close() : this.close()),
      compare: () => this.compare.open(this.grid.photos.slice(this.grid.at, this.grid.at + MOST_COMPARED)),
      zoom: () => (this.compare.isOpen ? this.compare.zoom() : this.look()),
    };
    return Object.fromEntries(Object.entries(actions).map(([name, action]) => [name, whenOpen(action)]));
  }

  button(text, action) {
    const button = made("button", "", text);
    button.type = "button";
    button.addEventListener("click", action);
    return button;
  }

  marks(photo) {
    const { flag, rating } = this.choice.of(photo);
    const marks = made("span", "marks");
    if (flag) marks.append(made("b", flag, flag === "pick" ? "picked" : "rejected"));
    if (rating) marks.append(made("b", "stars", "★".repeat(rating)));
    return marks;
  }

  paint(tile, photo) {
    const picture = made("div", "picture");
    picture.append(Object.assign(new Image(), { className: "small", src: photo.thumb, alt: "" }), this.marks(photo));
    const line = made("div", "line");
    line.append(made("span", "title", photo.name), made("span", "figure", photo.figure));
    tile.replaceChildren(picture, line);
    tile.dataset.flag = this.choice.of(photo).flag ?? "";
  }

  describe(photo) {
    return [made("strong", "", photo.name), made("span", "", `${photo.width} × ${photo.height}`), made("span", "", photo.figure), this.marks(photo)];
  }
}

function toTile(photo) {
  const { width, height, blur_degree: degree, sharpest } = photo.figures;
  return {
    source: photo,
    path: photo.name,
    name: photo.name,
    width,
    height,
    thumb: photo.url,
    full: photo.url,
    figure: `S ${degree.toFixed(2)}`,
    focus: [(sharpest.x + sharpest.width / 2) / width, (sharpest.y + sharpest.height / 2) / height],
  };
}

function made(name, className, text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}
