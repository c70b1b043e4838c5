// What is dropped: files, and all files in folders.

/** Return the files of a drop, those from folders called by their paths; `missed` gets the paths that cannot be read. */
export async function filesOf(transfer, missed) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  return (await Promise.all(entries.map((entry) => walk(entry, "", missed)))).flat();
}

// What lies beside photos, of which browsers know no kind.
const BESIDE = /\.(xmp|pp3|arp|dop|on1|aae|vrd|nksc|json|csv|txt|ini|db)$/i;

async function walk(entry, above, missed) {
  if (entry.name.startsWith(".") && above) return [];
  const path = above + entry.name;
  const miss = () => (missed.push(path), null);
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject)).catch(miss);
    if (file === null) return [];
    // Files that browsers know to be something else are left out; of raw photos they know nothing.
    if (above && (file.type ? !file.type.startsWith("image/") : BESIDE.test(path))) return [];
    return [new File([file], path, { type: file.type, lastModified: file.lastModified })];
  }
  const reader = entry.createReader();
  const inside = [];
  // A hundred come at a time.
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)).catch(miss);
    if (!some?.length) break;
    inside.push(...some);
  }
  inside.sort((one, other) => (one.name < other.name ? -1 : 1));
  return (await Promise.all(inside.map((each) => walk(each, `${path}/`, missed)))).flat();
}
