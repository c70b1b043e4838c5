// The photos that were added: each is mapped in its turn, and keeps what the server made of it.

import { post, Refusal } from "./api.js";
import { canvasWith, drawnSize, smallPicture, smallTint } from "./drawing.js";
import { byFocus } from "./tiles.js";

const KEPT = 8;

export class Photo {
  constructor(file) {
    this.file = file;
    this.name = file.name || "pasted.png";
    // Photos of one name are not one photo, nor is that of another day.
    this.key = [this.name, file.size, file.lastModified].join("|");
    this.state = "waiting";
    this.error = "";
    this.notJudged = "";
    this.figures = null;
    this.url = null;
    this.mapUrl = null;
    this.thumb = null;
    this.tint = null;
    this.results = new Map();
    this.gone = new AbortController();
  }

  /** Map the photo; what goes wrong is kept as its error. */
  async map(limits) {
    this.state = "working";
    try {
      // A browser that is refused while it still sends may never see why.
      if (this.file.size > limits.upload_bytes) {
        const [has, most] = [this.file.size, limits.upload_bytes].map((size) => (size / 1e6).toFixed(1));
        throw new Refusal(`has ${has} MB; this server takes ${most}: send a smaller file`);
      }
      const answer = await post("map", "format=png", this.file, this.gone.signal);
      this.figures = JSON.parse(answer.headers.get("Blur-Figures"));
      this.mapUrl = URL.createObjectURL(await answer.blob());
      this.url = await this.shownUrl();
      this.thumb = await smallPicture(await load(this.url));
      this.tint = await smallTint(await load(this.mapUrl));
      this.state = "done";
    } catch (error) {
      if (error.name === "AbortError") return;
      this.state = "failed";
      this.error = error instanceof Refusal ? error.message : "the browser cannot show it";
    }
  }

  /** Whether the photo has its verdict, or cannot have one. */
  get isJudged() {
    return Boolean(this.figures?.verdict || this.notJudged);
  }

  /** Let the server judge the photo; what goes wrong is kept as the reason for no verdict. */
  async judge() {
    try {
      const answer = await post("rank", "", this.file, this.gone.signal);
      this.figures = { ...this.figures, ...(await answer.json()) };
    } catch (error) {
      this.notJudged = error instanceof Refusal ? `not judged: ${error.message}` : "not judged";
    }
  }

  /** Return what the server makes of the photo, or of a small copy, from memory where it can. */
  async result(route, query, signal, { small = false } = {}) {
    const key = `${route}?${query}${small ? "#small" : ""}`;
    if (!this.results.has(key)) {
      const answer = await post(route, query, small ? await this.smallCopy() : this.file, signal);
      const share = answer.headers.get("Subject-Share");
      this.results.set(key, { url: URL.createObjectURL(await answer.blob()), share });
      for (const [old, { url }] of this.results) {
        if (this.results.size <= KEPT) break;
        URL.revokeObjectURL(url);
        this.results.delete(old);
      }
    }
    return this.results.get(key);
  }

  /** Return the photo as a JPEG of the size at which it is drawn; a small one as it is. */
  async smallCopy() {
    const { width, height } = this.figures;
    const size = drawnSize(width, height);
    if (size[0] === width) return this.file;
    const [canvas] = canvasWith(await load(this.url), size);
    return canvas.convertToBlob({ type: "image/jpeg", quality: 0.95 });
  }

  /** Forget everything, also what is under way. */
  close() {
    this.gone.abort();
    for (const url of [this.url, this.mapUrl, this.thumb, this.tint, ...[...this.results.values()].map((r) => r.url)]) {
      if (url) URL.revokeObjectURL(url);
    }
  }

  // Browsers show neither TIFF nor, most of them, HEIC, and do not turn WebP by its EXIF: the server makes
  // JPEG of those.
  async shownUrl() {
    const own = URL.createObjectURL(this.file);
    try {
      const { width, height } = await load(own);
      const isWhole = width === this.figures.width && height === this.figures.height;
      if (isWhole && !(await isWebpWithExif(this.file))) return own;
    } catch {
      // Not a format of this browser's.
    }
    URL.revokeObjectURL(own);
    const answer = await post("photo", "format=jpeg", this.file, this.gone.signal);
    return URL.createObjectURL(await answer.blob());
  }
}

async function isWebpWithExif(file) {
  const head = new Uint8Array(await file.slice(0, 21).arrayBuffer());
  return String.fromCharCode(...head.slice(8, 16)) === "WEBPVP8X" && (head[20] & 8) !== 0;
}

/** Return the picture at an address once it is decoded. */
export async function load(url) {
  const picture = new Image();
  picture.src = url;
  await picture.decode();
  return picture;
}

/** Return photos in an order by a measure; those without a figure stay at the end. */
export function inOrder(photos, order, measure) {
  if (order === "added") return [...photos];
  const has = photos.filter((photo) => valueOf(photo, measure) !== null);
  const rest = photos.filter((photo) => !has.includes(photo));
  const ranked =
    measure === "focus" ? byFocus(has) : has.sort((one, other) => valueOf(one, measure) - valueOf(other, measure));
  return [...(order === "sharpest" ? ranked : ranked.reverse()), ...rest];
}

/** Return what a photo is ranked by, null if there is nothing; of its focus, the verdict. */
export function valueOf({ figures }, measure) {
  if (!figures) return null;
  if (measure === "focus") return figures.verdict ?? null;
  return measure === "sharpest" ? figures.sharpest.blur : figures[measure];
}
