// The stage: a photo, what was made of it, and a line between the two.

import { inPixels } from "../choosing/figures.js";
import { Refusal } from "./api.js";
import { drawKinds, drawOverlay, drawnSize, samples } from "./drawing.js";
import { load } from "./photos.js";

const at = (id) => document.getElementById(id);
const checked = (name) => document.querySelector(`[name="${name}"]:checked`).value;
const percent = (share) => `${Math.round(100 * share)}%`;

const NAMES = { map: "Map", overlay: "Overlay", kinds: "Kinds", segment: "Subject", magnify: "More blur" };
const LEGENDS = {
  map: "Black is sharp, white is blurred.",
  overlay: "What is blurred is grey and violet.",
  kinds: "Blue is out of focus, orange has moved.",
  segment: "What is sharp, cut out.",
  magnify: "What is sharp stays as it is.",
};

let asking = new AbortController();
let shown = "";
let drawn = { photo: null };

/** Show a photo, its figures, and the view that is chosen. */
export function showPhoto(photo) {
  asking.abort();
  asking = new AbortController();
  const view = checked("view");
  showTexts(photo, view);
  for (const id of ["frame", "views", "figures", "controls"]) at(id).hidden = photo.state === "failed";
  showFailure(photo.error);
  // No picture stays under another's name: what is there goes before the next is made.
  const label = [photo.url, view, view === "segment" && checked("cut")].join();
  if (label !== shown) {
    hideResult();
    at("above").textContent = at("subject").textContent = "";
  }
  shown = label;
  if (photo.state !== "done") {
    at("photo").hidden = true;
    // Nor does one that is still decoding come up later, or stay away when its photo comes back.
    at("photo").removeAttribute("src");
    hideResult();
    showBusy(photo.state === "failed" ? "" : "Mapping");
    return;
  }
  at("frame").style.setProperty("--ratio", photo.figures.width / photo.figures.height);
  if (at("photo").getAttribute("src") !== photo.url) {
    showOriginal(photo, asking.signal);
  }
  showView(photo, view, asking.signal);
}

async function showOriginal({ url, name }, signal) {
  const picture = at("photo");
  picture.hidden = true;
  Object.assign(picture, { src: url, alt: name });
  await picture.decode().catch(() => null);
  if (!signal.aborted || picture.getAttribute("src") === url) picture.hidden = false;
}

/** Return the query that the controls of a view ask for. */
export function queryOf(route) {
  if (route === "overlay") return at("soft").checked ? "" : `threshold=${at("threshold").value}`;
  if (route === "segment") return `result=${checked("cut")}`;
  const way = at("naive").checked ? "naive" : "lens";
  return `strength=${at("strength").value}&shape=${at("shape").value}&way=${way}`;
}

/** Put the line where the slider is. */
export function showSplit() {
  const place = Number(at("split").value);
  at("frame").style.setProperty("--split", `${place}%`);
  at("tag-photo").classList.toggle("away", place < 18);
  at("tag-result").classList.toggle("away", place > 82);
}

async function showView(photo, view, signal) {
  try {
    showBusy("Working");
    if (view === "map") await showMade(photo.mapUrl, signal);
    else if (view === "overlay") await showOverlay(photo, signal);
    else if (view === "kinds") await showKinds(photo, signal);
    else await showApplication(photo, view, signal);
    showBusy("");
  } catch (error) {
    if (error.name === "AbortError" || signal.aborted) return;
    hideResult();
    showBusy("");
    showFailure(error instanceof Refusal ? error.message : "the browser cannot show it");
  }
}

async function showMade(url, signal) {
  const { src } = await load(url);
  signal.throwIfAborted();
  at("made").src = src;
  at("made").hidden = false;
  at("drawn").hidden = true;
}

async function showOverlay(photo, signal) {
  const { size, pixels, map } = await pixelsOf(photo, signal);
  const threshold = at("soft").checked ? null : Number(at("threshold").value);
  const share = drawOverlay(canvasOf(size), pixels, map, threshold);
  at("above").textContent =
    threshold === null
      ? "The likelier it is blurred, the more it is tinted."
      : `${percent(share)} of the photo is blurred with a probability of ${threshold.toFixed(2)} or more.`;
}

async function showKinds(photo, signal) {
  const { size, pixels, map } = await pixelsOf(photo, signal);
  const { url } = await photo.result("map", "of=motion", signal);
  const motion = samples(await load(url), size);
  signal.throwIfAborted();
  drawKinds(canvasOf(size), pixels, map, motion);
}

async function showApplication(photo, view, signal) {
  // More blur is shown on a small copy: a photo of 24 megapixels takes the server many seconds.
  const { url, share } = await photo.result(view, queryOf(view), signal, { small: view === "magnify" });
  await showMade(url, signal);
  if (share !== null) at("subject").textContent = `${percent(share)} of the photo is subject.`;
}

/** Return the samples of a photo and its map, kept while the photo stays on stage. */
async function pixelsOf(photo, signal) {
  if (drawn.photo !== photo) {
    const size = drawnSize(photo.figures.width, photo.figures.height);
    const [picture, map] = await Promise.all([load(photo.url), load(photo.mapUrl)]);
    signal.throwIfAborted();
    drawn = { photo, size, pixels: samples(picture, size), map: samples(map, size) };
  }
  return drawn;
}

function canvasOf([width, height]) {
  const canvas = at("drawn");
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  canvas.hidden = false;
  at("made").hidden = true;
  return canvas;
}

function showTexts(photo, view) {
  const { name, state } = photo;
  at("name").textContent = name;
  const isMask = view === "segment" && checked("cut") === "mask";
  at("tag-result").textContent = isMask ? "Mask" : NAMES[view];
  at("legend").textContent = state !== "done" ? "" : isMask ? "White is sharp." : LEGENDS[view];
  for (const part of at("controls").children) part.hidden = part.dataset.view !== view;
  for (const button of at("controls").querySelectorAll("[data-save]")) button.disabled = state !== "done";
  at("result").dataset.ground = view === "segment" && checked("cut") === "cutout" ? checked("ground") : "";
  at("grounds").disabled = checked("cut") !== "cutout";
  at("threshold").disabled = at("soft").checked;
  at("threshold-row").classList.toggle("off", at("soft").checked);
  at("threshold-value").textContent = Number(at("threshold").value).toFixed(2);
  at("strength-value").textContent = Number(at("strength").value).toFixed(2);
  showFigures(photo);
}

/** Show what is known of a photo in numbers and words. */
export function showFigures({ figures, notJudged, state }) {
  const word = figures?.verdict;
  at("verdict").textContent = word ?? (state === "done" && !notJudged ? "judging …" : "–");
  at("verdict").dataset.kept = String(word === "sharp" || word === "subject sharp");
  at("why").textContent = figures?.reason ?? notJudged;
  at("focus").textContent = word ? inPixels(figures.sigma) : "–";
  at("degree").textContent = figures ? figures.blur_degree.toFixed(2) : "–";
  at("needle").style.setProperty("--at", figures ? percent(figures.blur_degree) : "0%");
  at("needle").hidden = !figures;
  at("share").textContent = figures ? percent(figures.share_blurred) : "–";
  at("size").textContent = figures ? `${figures.width} × ${figures.height}` : "–";
  at("kind").textContent = kindOf(figures);
  const known = figures && figures.motion !== null && figures.blur_degree > 0;
  for (const kind of ["defocus", "motion"]) {
    const share = known ? figures[kind] / figures.blur_degree : 0;
    at(kind).textContent = known ? percent(share) : "";
    at(`${kind}-part`).style.setProperty("--part", `${100 * share}%`);
  }
  showRegion(figures);
}

function kindOf(figures) {
  if (!figures || figures.motion === null) return "–";
  if (figures.blur_degree < 0.02) return "hardly any";
  return figures.defocus >= figures.motion ? "defocus" : "motion";
}

function showRegion(figures) {
  const [region, place] = [at("region"), at("place")];
  region.hidden = place.hidden = !figures || !at("outline").checked;
  if (region.hidden) return;
  const { x, y, width, height } = figures.sharpest;
  const put = (element, side, share) => element.style.setProperty(side, `${100 * share}%`);
  put(region, "left", x / figures.width);
  put(region, "top", y / figures.height);
  put(region, "width", width / figures.width);
  put(region, "height", height / figures.height);
  place.hidden = typeof figures.focus_x !== "number";
  put(place, "left", figures.focus_x / figures.width);
  put(place, "top", figures.focus_y / figures.height);
}

function hideResult() {
  at("made").hidden = at("drawn").hidden = true;
}

function showBusy(text) {
  at("busy").textContent = text;
  at("busy").hidden = text === "";
}

function showFailure(line) {
  at("failure").hidden = !line;
  at("reason").textContent = line ?? "";
}
