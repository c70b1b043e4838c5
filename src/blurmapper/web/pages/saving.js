// Files for people to keep, made by the server at the photo's own size.

import { Refusal } from "./api.js";
import { queryOf } from "./stage.js";

/** Let the browser save what is at an address. */
export function saveAs(url, name) {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}

/** Return what a button asks of the server, by the controls as they are now. */
export function asked(button) {
  const route = button.dataset.save;
  return [button.dataset.query, route === "map" ? "" : queryOf(route)].filter(Boolean).join("&");
}

/** Save what a button has asked of the server under the photo's name; return what went wrong, or "". */
export async function saveResult(button, photo, query, say) {
  button.disabled = true;
  try {
    const route = button.dataset.save;
    const { url } = await photo.result(route, query, photo.gone.signal);
    const kind = route === "segment" ? `.${new URLSearchParams(query).get("result")}` : "";
    // The photo's whole name, as the commands have it: x.jpg and x.png are two.
    const name = photo.name + kind + button.dataset.ending;
    saveAs(url, name);
    say(`${name} saved`);
    return "";
  } catch (error) {
    if (error.name === "AbortError") return "";
    return `${photo.name} was not saved${error instanceof Refusal ? `: ${error.message}` : ""}`;
  } finally {
    button.disabled = false;
  }
}
