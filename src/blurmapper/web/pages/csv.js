// The ranking as a table, with the columns that `blurmapper rank --csv` has, and some more.

const FIRST = ["width", "height", "verdict", "reason", "sigma", "focus_x", "focus_y", "stars"];
const DEGREES = ["blur_degree", "blur_degree_centre", "blur_degree_saliency", "share_blurred", "defocus", "motion"];
const REGION = ["x", "y", "width", "height", "blur"];

/** Return photos as CSV, in the order given. */
export function asCsv(photos) {
  const head = ["photo", ...FIRST, ...DEGREES, ...REGION.map((name) => `sharpest_${name}`), "burst", "best_of_burst", "error"];
  const rows = photos.map((photo) => [
    photo.name,
    ...[...FIRST, ...DEGREES].map((name) => photo.figures?.[name] ?? ""),
    ...REGION.map((name) => photo.figures?.sharpest[name] ?? ""),
    photo.tile?.burst ?? "",
    photo.tile?.burst ? photo.tile.best : "",
    photo.error || photo.notJudged,
  ]);
  return [head, ...rows].map((row) => `${row.map(toCell).join(",")}\r\n`).join("");
}

// What a spreadsheet would compute stands behind an apostrophe, as in blurmapper.csv_rows.to_cell.
function toCell(value) {
  if (typeof value !== "string") return String(value);
  const safe = /^'*(?:\s*[-=+@＝＋－＠]|[\t\r\n])/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
