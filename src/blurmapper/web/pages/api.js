// The server's API, for one photo at a time: a body in, a file or figures out.

/** What the server refused, in its own line. */
export class Refusal extends Error {}

const PATIENCE = 30;

/** Post a photo; when the server has too much to do, wait and come again. */
export async function post(route, query, photo, signal) {
  for (let turn = 0; ; turn += 1) {
    const answer = await send(`v1/${route}?${query}`, photo, signal);
    if (answer.ok) return answer;
    if (answer.status !== 503 || turn === PATIENCE) throw new Refusal(await lineOf(answer));
    await rest(Number(answer.headers.get("Retry-After")) || 1, signal);
  }
}

/** Return what the server can do and what it takes. */
export async function health() {
  const answer = await send("healthz");
  // Full, it answers with 503, and says all the same; so may a proxy, which knows nothing.
  const said = await answer.json().catch(() => ({}));
  if (!said.limits) throw new Refusal(said.error ?? `the server answered ${answer.status}`);
  return said;
}

/** Return the file of a sample. */
export async function sample(name) {
  const answer = await send(`samples/${name}`);
  if (!answer.ok) throw new Refusal(await lineOf(answer));
  return new File([await answer.blob()], name, { type: "image/jpeg" });
}

async function send(address, photo, signal) {
  const request = photo ? { method: "POST", body: photo, signal } : { signal };
  try {
    return await fetch(address, request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    if (photo && !(await isReadable(photo))) throw new Refusal("its file has changed or is gone; add the photo again");
    throw new Refusal("the server does not answer; is blurmapper serve still running?");
  }
}

/** Say whether a file is still what it was when it was chosen: a browser reads no other. */
async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

async function lineOf(answer) {
  try {
    return (await answer.json()).error.replace(/^the photo: /, "");
  } catch {
    return `the server answered ${answer.status}`;
  }
}

/** Wait for some seconds, or until it is called off. */
export function rest(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
