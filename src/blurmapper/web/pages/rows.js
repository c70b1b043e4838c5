// The list of photos: a row each, with its figure or what went wrong.

import { judgedAs, SLIDERS } from "../choosing/figures.js";
import { drawThumb } from "./drawing.js";
import { load, valueOf } from "./photos.js";

const rows = new Map();

/** Show photos in the order given. */
export function showRows(photos, chosen, measure, actions) {
  for (const [photo, row] of rows) {
    if (photos.includes(photo)) continue;
    row.remove();
    rows.delete(photo);
  }
  const list = document.getElementById("rows");
  photos.forEach((photo, place) => {
    if (!rows.has(photo)) rows.set(photo, newRow(photo, actions));
    const row = rows.get(photo);
    // A row that is in its place stays there, and keeps the focus.
    if (list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null);
    fill(row, photo, measure);
    row.querySelector(".pickphoto").setAttribute("aria-current", String(photo === chosen));
  });
}

function newRow(photo, { choose, remove }) {
  const row = document.getElementById("row").content.firstElementChild.cloneNode(true);
  row.querySelector(".title").textContent = photo.name;
  row.querySelector(".pickphoto").addEventListener("click", () => choose(photo));
  const cross = row.querySelector(".remove");
  cross.setAttribute("aria-label", `Remove ${photo.name}`);
  cross.addEventListener("click", () => remove(photo));
  return row;
}

function fill(row, photo, measure) {
  row.className = photo.state;
  const state = row.querySelector(".state");
  if (photo.state === "done") {
    row.querySelector(".bar span").style.setProperty("--at", `${100 * shareOf(photo, measure)}%`);
    state.textContent = figureOf(photo, measure);
    state.title = photo.figures.reason ?? photo.notJudged;
    drawOnce(row.querySelector(".thumb"), photo);
  } else {
    state.textContent = { waiting: "waiting", working: "mapping …", failed: photo.error }[photo.state];
  }
}

function figureOf(photo, measure) {
  const value = valueOf(photo, measure);
  if (measure === "focus") {
    if (value) return judgedAs(value, photo.figures.sigma);
    return photo.notJudged ? "not judged" : "judging …";
  }
  // The sharpest regions of sharp photos differ in the third place alone.
  return measure === "sharpest" ? `blur ${value.toFixed(3)}` : `S ${value.toFixed(2)}`;
}

function shareOf(photo, measure) {
  if (measure !== "focus") return valueOf(photo, measure);
  return Math.min(1, (photo.figures.sigma ?? 0) / SLIDERS[0].most);
}

async function drawOnce(canvas, photo) {
  if (canvas.dataset.drawn) return;
  canvas.dataset.drawn = "yes";
  drawThumb(canvas, await load(photo.thumb));
}
