// Pictures that are drawn while a control moves; the server draws those that are saved.

// As blurmapper.images.draw_overlay has it.
const TINT = [124, 58, 237];
const LUMA = [0.299, 0.587, 0.114];

// As the page's colours of the two kinds.
const DEFOCUS = [14, 165, 233];
const MOTION = [249, 115, 22];

const MOST_SIDE = 1600;

// As blurmapper.ranking.report has them.
const THUMB_SIDE = 400;
const TINT_SIDE = 200;

/** Return the size at which a photo is drawn: its own, or less. */
export function drawnSize(width, height) {
  const scale = Math.min(1, MOST_SIDE / Math.max(width, height));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

/** Return a canvas of a size that a picture fills, on white as the server reads it, and its context. */
export function canvasWith(picture, [width, height]) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(picture, 0, 0, width, height);
  return [canvas, context];
}

/** Return a picture's RGBA samples at a size. */
export function samples(picture, [width, height]) {
  const [, context] = canvasWith(picture, [width, height]);
  return context.getImageData(0, 0, width, height).data;
}

/** Return the address of a small copy of a picture. */
export async function smallPicture(picture) {
  const [canvas] = reduce(picture, THUMB_SIDE);
  return URL.createObjectURL(await canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 }));
}

/** Return the address of a small picture that is violet where a map is white, and clear elsewhere. */
export async function smallTint(map) {
  const [canvas, context] = reduce(map, TINT_SIDE);
  const tint = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < tint.data.length; at += 4) {
    const blur = tint.data[at] / 255;
    tint.data.set([...TINT, Math.round(160 * blur)], at);
  }
  context.putImageData(tint, 0, 0);
  return URL.createObjectURL(await canvas.convertToBlob({ type: "image/png" }));
}

function reduce(picture, most) {
  const scale = Math.min(1, most / Math.max(picture.naturalWidth, picture.naturalHeight));
  const sides = [picture.naturalWidth, picture.naturalHeight].map((side) => Math.max(1, Math.round(side * scale)));
  return canvasWith(picture, sides);
}

/** Draw what is blurred grey and violet; return the share of the photo that is tinted. */
export function drawOverlay(canvas, photo, map, threshold) {
  let tinted = 0;
  paint(canvas, photo, (at, out) => {
    const blur = threshold === null ? map[at] / 255 : Number(map[at] >= threshold * 255);
    tinted += blur;
    mix(out, at, photo, TINT, 0.5, blur);
  });
  return (4 * tinted) / photo.length;
}

/** Draw blur by defocus blue and blur by motion orange, over the photo in grey. */
export function drawKinds(canvas, photo, map, motion) {
  const colour = [0, 0, 0];
  paint(canvas, photo, (at, out) => {
    const share = map[at] > 0 ? Math.min(1, motion[at] / map[at]) : 0;
    for (let channel = 0; channel < 3; channel += 1) {
      colour[channel] = DEFOCUS[channel] + share * (MOTION[channel] - DEFOCUS[channel]);
    }
    mix(out, at, photo, colour, 0.3, map[at] / 255);
  });
}

/** Draw a picture so that it fills a small canvas. */
export function drawThumb(canvas, picture) {
  const scale = Math.max(canvas.width / picture.width, canvas.height / picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
}

function paint(canvas, photo, pixel) {
  const image = new ImageData(canvas.width, canvas.height);
  for (let at = 0; at < photo.length; at += 4) pixel(at, image.data);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Move a pixel by `blur` towards its own grey mixed with a colour. */
function mix(out, at, photo, colour, greyness, blur) {
  const luma = LUMA[0] * photo[at] + LUMA[1] * photo[at + 1] + LUMA[2] * photo[at + 2];
  for (let channel = 0; channel < 3; channel += 1) {
    const target = greyness * luma + (1 - greyness) * colour[channel];
    out[at + channel] = photo[at + channel] + blur * (target - photo[at + channel]);
  }
  out[at + 3] = 255;
}
