// Photos in words: their figures, and all that verdicts say.

const MOST_BOXES = 4;

/** The words of verdicts, the best first. */
export const VERDICTS = ["sharp", "subject sharp", "focus behind", "focus before", "subject moved", "shaken", "soft", "cannot tell"];

/** The figures that photos are filtered and ordered by, and the most there is of each. */
export const SLIDERS = [
  { name: "sigma", label: "focus", most: 5 },
  { name: "blur_degree", label: "S", most: 1 },
  { name: "sharpest_blur", label: "sharpest region", most: 1 },
];

/** Return how wide the blur is where a photo is sharpest, in its own pixels. */
export function inPixels(sigma) {
  return sigma === null ? "unknown" : `${sigma.toFixed(2)} px`;
}

/** Return a verdict, with how wide the blur is where that is known. */
export function judgedAs(verdict, sigma) {
  return sigma === null ? verdict : `${verdict}, ${inPixels(sigma)}`;
}

/** Return what is known of a photo, a few words each. */
export function linesOf({ values, boxes }) {
  const lines = [];
  if (values.sigma !== undefined) lines.push(`focus ${inPixels(values.sigma)}`);
  lines.push(`S ${values.blur_degree.toFixed(3)}`, `${Math.round(100 * values.share_blurred)}% blurred`);
  lines.push(`sharpest region ${values.sharpest_blur.toFixed(3)}`);
  const said = (boxes ?? []).map(({ label, verdict, sigma }) => `${label || "box"} ${judgedAs(verdict, sigma)}`);
  lines.push(...said.slice(0, MOST_BOXES));
  if (said.length > MOST_BOXES) lines.push(`and ${said.length - MOST_BOXES} more`);
  return lines;
}

/** Return the one figure that stands beside a photo's name. */
export function figureOf({ values }) {
  return values.sigma === undefined ? `S ${values.blur_degree.toFixed(2)}` : inPixels(values.sigma);
}

/** Return an element with a class and a text. */
export function made(name, className = "", text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}
