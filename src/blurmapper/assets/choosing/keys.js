// The keys by which photos are chosen, as in other programs for it.

export const KEYS = [
  ["arrows", "go from photo to photo"],
  ["p  x  u", "pick, reject, neither"],
  ["1 – 5, 0", "stars, none"],
  ["Enter", "look at a photo, or back"],
  ["c", "compare with the next, or with its burst"],
  ["z", "every pixel, or the photo whole"],
  ["o", "what is blurred in violet"],
  ["b", "unfold or fold a burst"],
  ["?", "these keys"],
];

/** Call the action of a key; those that a person types into a field are left to it. */
export function listenForKeys(actions) {
  addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.matches?.("input:not([type=range], [type=checkbox], [type=radio]), select, textarea")) return;
    if (target.matches?.("input[type=range]") && key.startsWith("Arrow")) return;
    if (target.matches?.("input[type=checkbox], input[type=radio]") && key === " ") return;
    if (target.matches?.("button, summary, a") && (key === "Enter" || key === " ")) return;
    const action = actionOf(key, actions);
    // An action that does nothing now says so, and the key keeps its other meaning.
    if (action && action() !== true) event.preventDefault();
  });
}

function actionOf(pressed, actions) {
  // With Caps Lock letters come as capitals.
  const key = pressed.length === 1 ? pressed.toLowerCase() : pressed;
  if (/^[0-5]$/.test(key)) return () => actions.rate(Number(key));
  const flags = { p: "pick", x: "reject", u: "" };
  if (key in flags) return () => actions.flag(flags[key]);
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (key in moves) return () => actions.move(...moves[key]);
  if (key === "PageUp" || key === "PageDown") return () => actions.page(key === "PageUp" ? -1 : 1);
  if (key === "Home" || key === "End") return () => actions.jump(key === "Home");
  const named = { Enter: "look", " ": "look", Escape: "back", c: "compare", z: "zoom", o: "overlay", b: "fold", "?": "help" };
  return named[key] && actions[named[key]];
}
