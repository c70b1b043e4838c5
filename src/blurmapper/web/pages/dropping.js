// What is dropped: files, and all files in folders.

/** Return the files of a drop; those from folders are called by their paths. */
export async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  return (await Promise.all(entries.map((entry) => walk(entry, "")))).flat();
}

async function walk(entry, above) {
  if (entry.name.startsWith(".") && above) return [];
  const path = above + entry.name;
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    // Files that browsers know to be something else are left out; of raw photos they know nothing.
    if (above && file.type && !file.type.startsWith("image/")) return [];
    return [new File([file], path, { type: file.type, lastModified: file.lastModified })];
  }
  const reader = entry.createReader();
  const inside = [];
  // A hundred come at a time.
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) break;
    inside.push(...some);
  }
  inside.sort((one, other) => (one.name < other.name ? -1 : 1));
  return (await Promise.all(inside.map((each) => walk(each, `${path}/`)))).flat();
}
