// The report of a ranking: all photos in one page, to look and choose.

import { Choice, chooseShown } from "./choice.js";
import { Compare } from "./compare.js";
import { Grid } from "./grid.js";
import { KEYS, listenForKeys } from "./keys.js";

const MOST_COMPARED = 4;
const at = (id) => document.getElementById(id);
const data = JSON.parse(at("data").textContent);
const photos = data.photos;
const choice = new Choice(photos, `blurmapper ${data.folder}`);
const filter = { flag: "", verdict: "", name: "", most: {}, fold: true, unfolded: new Set(), order: "rank" };
const bursts = new Map();
for (const photo of photos) {
  if (photo.burst !== null) bursts.set(photo.burst, [...(bursts.get(photo.burst) ?? []), photo]);
}

const grid = new Grid(at("grid"), { paint, open: look, chosen: showStatus });
const compare = new Compare(at("compare"), describe);

function refresh() {
  filter.unfolded = filter.fold ? filter.unfolded : new Set(bursts.keys());
  grid.show(chooseShown(photos, choice, filter));
  at("count").textContent = `${grid.photos.length} of ${photos.length} photos`;
  showPicks();
}

function showPicks() {
  at("picks").textContent = `${choice.count("pick")} picked, ${choice.count("reject")} rejected`;
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function marksOf(photo) {
  const { flag, rating } = choice.of(photo);
  const marks = element("span", "marks");
  if (flag) marks.append(element("b", flag, flag === "pick" ? "picked" : "rejected"));
  if (rating) marks.append(element("b", "stars", "★".repeat(rating)));
  return marks;
}

function paint(tile, photo) {
  const picture = element("div", "picture");
  for (const [name, url] of [["small", photo.thumb], ["tint", photo.overlay]]) {
    if (url) picture.append(Object.assign(new Image(), { className: name, src: url, alt: "", loading: "lazy" }));
  }
  if (photo.burst !== null) {
    const of = bursts.get(photo.burst).length;
    picture.append(element("span", photo.best ? "burst best" : "burst", photo.best ? `best of ${of}` : `one of ${of}`));
  }
  picture.append(marksOf(photo));
  const line = element("div", "line");
  line.append(element("span", "title", photo.name), element("span", "figure", photo.figure));
  tile.replaceChildren(picture, line);
  if (photo.verdict) tile.append(element("div", `verdict ${photo.verdict.replaceAll(/[^a-z]/g, "-")}`, photo.verdict));
  tile.title = photo.path + (photo.reason ? `\n${photo.reason}` : "");
  tile.dataset.flag = choice.of(photo).flag ?? "";
}

function describe(photo) {
  const parts = [element("strong", "", photo.name), element("span", "", `${photo.width} × ${photo.height}`)];
  parts.push(...photo.lines.map((line) => element("span", "", line)), marksOf(photo));
  if (photo.reason) parts.push(element("span", "reason", photo.reason));
  return parts;
}

function showStatus(photo) {
  at("status").textContent = photo ? [photo.path, ...photo.lines, photo.reason].filter(Boolean).join(" · ") : "Nothing to show: widen the filters.";
  if (photo && compare.isOpen && !compare.photos.includes(photo)) compare.open([photo]);
}

function look() {
  if (compare.isOpen) compare.close();
  else if (grid.photo) compare.open([grid.photo]);
}

function compareNext() {
  const photo = grid.photo;
  if (!photo) return;
  const burst = photo.burst === null ? [] : bursts.get(photo.burst);
  const others = burst.length > 1 ? burst.filter((other) => other !== photo) : grid.photos.slice(grid.at + 1);
  compare.open([photo, ...others].slice(0, MOST_COMPARED));
}

function change(marks) {
  const photo = compare.photo ?? grid.photo;
  if (!photo) return;
  choice.set(photo, marks);
  grid.refresh(photo);
  compare.refresh();
  showPicks();
}

function save() {
  const url = URL.createObjectURL(new Blob([choice.asJson(data.folder)], { type: "application/json" }));
  const link = Object.assign(document.createElement("a"), { href: url, download: "picks.json" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  at("status").textContent = "Saved; now run: blurmapper rank --apply picks.json";
}

function showKeys() {
  at("keys").querySelector("dl").replaceChildren(
    ...KEYS.flatMap(([key, does]) => [element("dt", "", key), element("dd", "", does)]),
  );
  at("keys").showModal();
}

function fold() {
  const burst = grid.photo?.burst ?? null;
  if (burst === null) return;
  if (!filter.unfolded.delete(burst)) filter.unfolded.add(burst);
  refresh();
}

function addSlider({ name, label, most }) {
  const slider = element("label", "", label);
  const value = element("output", "", "any");
  const input = Object.assign(document.createElement("input"), { type: "range", min: 0, max: 100, value: 100 });
  input.addEventListener("input", () => {
    filter.most[name] = input.value === "100" ? null : (most * input.value) / 100;
    value.textContent = input.value === "100" ? "any" : `≤ ${filter.most[name].toFixed(2)}`;
    refresh();
  });
  slider.append(input, value);
  at("sliders").append(slider);
  at("order").append(Object.assign(document.createElement("option"), { value: name, textContent: label }));
}

function listen() {
  for (const id of ["flag", "verdict", "order"]) {
    at(id).addEventListener("change", () => {
      filter[id] = at(id).value;
      at(id).blur();
      refresh();
    });
  }
  at("search").addEventListener("input", () => {
    filter.name = at("search").value;
    refresh();
  });
  at("fold").addEventListener("change", () => {
    filter.fold = at("fold").checked;
    filter.unfolded.clear();
    refresh();
  });
  at("save").addEventListener("click", save);
  at("help").addEventListener("click", showKeys);
  listenForKeys({
    move: (columns, rows) => {
      if (!compare.isOpen) grid.move(columns, rows);
      else if (compare.photos.length > 1) compare.select(compare.at + columns + rows);
      else grid.move(columns + rows);
    },
    page: (pages) => grid.move(0, pages * grid.rowsInSight),
    jump: (first) => grid.select(first ? 0 : Infinity),
    flag: (flag) => change({ flag }),
    rate: (rating) => change({ rating }),
    look,
    back: () => compare.close(),
    compare: compareNext,
    zoom: () => (compare.isOpen ? compare.zoom() : (compare.real = true, look())),
    overlay: () => {
      document.body.classList.toggle("tinted");
      compare.toggleOverlay();
    },
    fold,
    help: showKeys,
  });
}

for (const slider of data.sliders) addSlider(slider);
for (const verdict of data.verdicts) {
  at("verdict").append(Object.assign(document.createElement("option"), { value: verdict, textContent: verdict }));
}
at("verdicts").hidden = data.verdicts.length === 0;
at("folding").hidden = bursts.size === 0;
listen();
refresh();
at("grid").focus();
