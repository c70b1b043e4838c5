// The bar over the grid: which photos are shown, and in what order.

import { made, SLIDERS, VERDICTS } from "./figures.js";

const FLAGS = [
  ["", "all"],
  ["undecided", "undecided"],
  ["pick", "picked"],
  ["reject", "rejected"],
  ["1", "1 star or more"],
  ["2", "2 stars or more"],
  ["3", "3 stars or more"],
  ["4", "4 stars or more"],
  ["5", "5 stars"],
];

/** The controls of a filter; `changed` is called once `filter` has what they say. */
export class Filters {
  constructor(element, changed) {
    this.filter = { flag: "", verdict: "", name: "", most: {}, fold: true, unfolded: new Set(), order: "rank" };
    this.element = element;
    this.changed = changed;
    this.count = element.appendChild(made("strong"));
    this.addSelect("flag", "Show", FLAGS);
    this.verdict = this.addSelect("verdict", "Verdict", []);
    this.addSelect("order", "Order", [["rank", "ranking"], ["name", "name"], ...SLIDERS.map(({ name, label }) => [name, label])]);
    for (const slider of SLIDERS) this.addSlider(slider);
    this.addFolding();
    this.addSearch();
  }

  /** Offer the verdicts that there are, and folding where there are bursts. */
  fit(photos) {
    const said = new Set(photos.map(({ verdict }) => verdict));
    const words = VERDICTS.filter((word) => said.has(word) || word === this.filter.verdict);
    const options = [["", "any"], ...words.map((word) => [word, word])];
    this.verdict.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
    this.verdict.value = this.filter.verdict;
    this.verdict.parentElement.hidden = words.length === 0;
    this.fold.parentElement.hidden = photos.every(({ burst }) => burst === null);
  }

  addSelect(name, label, options) {
    const holder = this.element.appendChild(made("label", "", `${label} `));
    const select = holder.appendChild(made("select"));
    select.name = name;
    select.append(...options.map(([value, text]) => new Option(text, value)));
    select.addEventListener("change", () => {
      this.filter[name] = select.value;
      select.blur();
      this.changed();
    });
    return select;
  }

  addSlider({ name, label, most }) {
    const holder = this.element.appendChild(made("label", "slider", label));
    const input = Object.assign(made("input"), { type: "range", name, min: 0, max: 100, value: 100 });
    const value = made("output", "", "any");
    input.addEventListener("input", () => {
      this.filter.most[name] = input.value === "100" ? null : (most * input.value) / 100;
      value.textContent = input.value === "100" ? "any" : `≤ ${this.filter.most[name].toFixed(2)}`;
      this.changed();
    });
    holder.append(input, value);
  }

  addFolding() {
    const holder = this.element.appendChild(made("label"));
    this.fold = Object.assign(made("input"), { type: "checkbox", name: "fold", checked: true });
    this.fold.addEventListener("change", () => {
      this.filter.fold = this.fold.checked;
      this.filter.unfolded.clear();
      this.changed();
    });
    holder.append(this.fold, " Fold bursts");
  }

  addSearch() {
    const search = this.element.appendChild(Object.assign(made("input"), { type: "search", name: "search", placeholder: "Name" }));
    search.setAttribute("aria-label", "Part of the name");
    search.addEventListener("input", () => {
      this.filter.name = search.value;
      this.changed();
    });
  }
}
