// The page: photos come in, one of them is shown, and the controls act on it.

import { health, rest, sample } from "./api.js";
import { Chooser } from "../choosing/chooser.js";
import { Photo, inOrder } from "./photos.js";
import { asCsv } from "./csv.js";
import { showRows } from "./rows.js";
import { filesOf } from "./dropping.js";
import { asked, saveAs, saveResult } from "./saving.js";
import { showFigures, showPhoto, showSplit } from "./stage.js";
import { tilesOf } from "./tiles.js";

const AT_ONCE = 2;
const WARNINGS = 5;
const AGAIN = 2;
const at = (id) => document.getElementById(id);

const chooser = new Chooser(at("chooser"), { name: "blurmapper page", left: (tile) => tile && choose(tile.source) });
const page = { photos: [], chosen: null, server: null, working: 0, judging: false };

async function start() {
  page.server = await health();
  document.querySelector('[name="view"][value="kinds"]').disabled = !page.server.kinds;
  if (!page.server.cutouts) {
    const [cutout, mask] = ["cutout", "mask"].map((cut) => document.querySelector(`[name="cut"][value="${cut}"]`));
    mask.checked = cutout.disabled = true;
    cutout.parentElement.title = "The server lacks what cutouts need: the extra baselines.";
  }
  const { upload_bytes: bytes, pixels } = page.server.limits;
  at("promise").textContent += ` Up to ${bytes / 1e6} MB and ${pixels / 1e6} megapixels each.`;
}

function add(files) {
  const photos = [...files].map((file) => new Photo(file));
  if (photos.length === 0) return;
  warn([]);
  page.photos.push(...photos);
  page.chosen ??= photos[0];
  at("welcome").hidden = true;
  at("work").hidden = at("add").hidden = false;
  say(photos.length === 1 ? `${photos[0].name} added` : `${photos.length} photos added`);
  refresh();
  mapNext();
}

async function mapNext() {
  const photo = page.photos.find(({ state }) => state === "waiting");
  if (!photo || page.working >= AT_ONCE) {
    judgeNext();
    return;
  }
  page.working += 1;
  photo.state = "working"; // Before it is waited: what is added meanwhile takes the next.
  const mapping = photo.map((await ready).limits);
  mapNext();
  showList();
  await mapping;
  page.working -= 1;
  if (page.photos.includes(photo)) {
    say(photo.state === "done" ? `${photo.name}: S ${photo.figures.blur_degree.toFixed(2)}` : `${photo.name}: ${photo.error}`);
    if (photo === page.chosen) refresh();
    else showList();
    fillChooser();
  }
  mapNext();
}

/** Once all maps are there, judge the photos: that is done at full size, and takes longer. */
async function judgeNext() {
  const left = page.photos.filter((photo) => photo.state === "done" && !photo.isJudged);
  if (left.length === 0 || page.working > 0 || page.judging) return;
  const photo = left.includes(page.chosen) ? page.chosen : left[0];
  page.judging = true;
  await photo.judge();
  page.judging = false;
  if (page.photos.includes(photo)) {
    if (photo === page.chosen) showFigures(photo);
    showList();
    fillChooser();
  }
  mapNext();
}

function fillChooser() {
  if (!at("chooser").hidden) chooser.update(tilesOf(page.photos));
}

function openChooser() {
  const tiles = tilesOf(page.photos);
  at("chooser").hidden = false;
  chooser.show(tiles, page.chosen?.tile);
  chooser.focus();
}

function choose(photo) {
  page.chosen = photo;
  refresh();
}

function remove(photo) {
  const place = page.photos.indexOf(photo);
  photo.close();
  page.photos.splice(place, 1);
  if (page.chosen === photo) page.chosen = page.photos[Math.min(place, page.photos.length - 1)] ?? null;
  const empty = page.photos.length === 0;
  at("welcome").hidden = !empty;
  at("work").hidden = at("add").hidden = empty;
  say(`${photo.name} removed`);
  refresh();
  if (empty) at("choose").focus();
}

function refresh() {
  showList();
  if (page.chosen) showPhoto(page.chosen);
}

function ordered() {
  return inOrder(page.photos, at("order").value, at("measure").value);
}

function showList() {
  const failed = page.photos.filter(({ state }) => state === "failed").length;
  const busy = page.photos.filter(({ state }) => state === "waiting" || state === "working").length;
  const judging = page.photos.filter((photo) => photo.state === "done" && !photo.isJudged).length;
  const count = `${page.photos.length} photo${page.photos.length === 1 ? "" : "s"}`;
  at("count").textContent = count + (busy ? `, ${busy} to go` : judging ? `, ${judging} to judge` : "") + (failed ? `, ${failed} failed` : "");
  for (const choice of document.querySelectorAll(".ranking")) choice.hidden = page.photos.length < 2;
  showRows(ordered(), page.chosen, at("measure").value, { choose, remove });
}

function saved() {
  tilesOf(page.photos);
  return asCsv(ordered());
}

/** Save what a button asks for of photos; what cannot be saved is listed. */
async function save(button, photos) {
  const troubles = [];
  warn([]);
  const query = asked(button);
  for (const photo of photos) {
    const trouble = await saveResult(button, photo, query, say);
    if (trouble) troubles.push(trouble);
    warn(troubles);
  }
}

/** Save what is on stage, in its first form, of every photo. */
async function saveAll() {
  const view = document.querySelector('[name="view"]:checked').value;
  const button = document.querySelector(`#controls [data-view="${view}"] [data-save]`);
  at("all").disabled = true;
  await save(button, ordered().filter(({ state }) => state === "done"));
  at("all").disabled = false;
}

function say(line) {
  at("news").textContent = line;
}

/** Show what went wrong until the next that is added or saved; of many lines the first. */
function warn(lines) {
  const more = lines.length - WARNINGS;
  at("trouble").textContent = [...lines.slice(0, WARNINGS), ...(more > 0 ? [`and ${more} more`] : [])].join("\n");
}

async function addSample(name) {
  try {
    add([await sample(name)]);
  } catch (error) {
    warn([`${name}: ${error.message}`]);
  }
}

function listenForPhotos() {
  for (const id of ["choose", "add"]) at(id).addEventListener("click", () => at("files").click());
  at("files").addEventListener("change", () => {
    add(at("files").files);
    at("files").value = "";
  });
  for (const button of document.querySelectorAll("[data-sample]")) {
    button.addEventListener("click", () => addSample(button.dataset.sample));
  }
  addEventListener("paste", (event) => add(event.clipboardData.files));
  addEventListener("dragover", (event) => {
    event.preventDefault();
    at("veil").hidden = !event.dataTransfer.types.includes("Files");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) at("veil").hidden = true;
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    at("veil").hidden = true;
    const missed = [];
    filesOf(event.dataTransfer, missed).then((files) => {
      add(files);
      if (missed.length > 0) warn(missed.map((path) => `${path}: cannot be read`));
    });
  });
}

function listenForControls() {
  const show = () => page.chosen && showPhoto(page.chosen);
  // Sliders that the server answers wait until they are let go.
  for (const id of ["soft", "threshold", "outline"]) at(id).addEventListener("input", show);
  for (const id of ["strength", "shape", "naive"]) at(id).addEventListener("change", show);
  at("strength").addEventListener("input", () => {
    at("strength-value").textContent = Number(at("strength").value).toFixed(2);
  });
  for (const radio of document.querySelectorAll('input[type="radio"]')) radio.addEventListener("change", show);
  for (const id of ["order", "measure"]) at(id).addEventListener("change", showList);
  for (const button of document.querySelectorAll("[data-save]")) {
    button.addEventListener("click", () => save(button, [page.chosen]));
  }
  at("csv").addEventListener("click", () => {
    saveAs(URL.createObjectURL(new Blob([saved()], { type: "text/csv" })), "ranking.csv");
  });
  at("all").addEventListener("click", saveAll);
  at("grid").addEventListener("click", openChooser);
  at("clear").addEventListener("click", () => {
    // None but the last has to be shown and taken away again.
    for (const photo of page.photos.splice(0, page.photos.length - 1)) photo.close();
    [page.chosen] = page.photos;
    remove(page.chosen);
  });
}

/** Let the line between photo and result follow a finger, a mouse, or the keys. */
function listenForSplit() {
  const [frame, split] = [at("frame"), at("split")];
  const follow = (event) => {
    const { left, width } = frame.getBoundingClientRect();
    split.value = (100 * (event.clientX - left)) / width;
    showSplit();
  };
  frame.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    frame.setPointerCapture(event.pointerId);
    split.focus({ preventScroll: true, focusVisible: false });
    follow(event);
  });
  frame.addEventListener("pointermove", (event) => {
    if (frame.hasPointerCapture(event.pointerId)) follow(event);
  });
  split.addEventListener("input", showSplit);
}

/** Start, as soon as the server says what it can do. */
async function startSoon() {
  for (;;) {
    try {
      await start();
      return page.server;
    } catch (error) {
      warn([error.message]);
      await rest(AGAIN);
      warn([]);
    }
  }
}

const ready = startSoon();
listenForPhotos();
listenForControls();
listenForSplit();
showSplit();
