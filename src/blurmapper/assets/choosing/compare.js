// One to four photos side by side, whole or pixel by pixel, all at the same place.

/** Shows photos over the page; `close` hides them. One of them is the current one. */
export class Compare {
  constructor(element, describe) {
    this.element = element;
    this.describe = describe;
    this.photos = [];
    this.at = 0;
    this.real = false;
    this.place = [0.5, 0.5];
    this.overlay = false;
    element.addEventListener("pointerdown", (event) => {
      const pane = event.target.closest("figure");
      if (pane) this.select(this.photos.indexOf(pane.photo));
      this.drag(event);
    });
    // Who has no keys gets back by it.
    this.exit = Object.assign(document.createElement("button"), { type: "button", className: "exit", textContent: "Close", hidden: true });
    this.exit.addEventListener("click", () => this.close());
    element.after(this.exit);
    element.addEventListener("dblclick", (event) => event.target.closest(".view") && this.zoom());
    new ResizeObserver(() => this.lay()).observe(element);
  }

  get isOpen() {
    return !this.element.hidden;
  }

  get photo() {
    return this.isOpen ? this.photos[this.at] : null;
  }

  select(place) {
    this.at = Math.max(0, Math.min(place, this.photos.length - 1));
    [...this.element.children].forEach((pane, each) => pane.setAttribute("aria-current", String(each === this.at)));
  }

  open(photos, place = null) {
    this.photos = photos;
    this.place = place ?? photos[0]?.focus ?? [0.5, 0.5];
    this.element.hidden = this.exit.hidden = false;
    this.element.replaceChildren(...photos.map((photo) => this.makePane(photo)));
    this.select(0);
    this.lay();
  }

  close() {
    this.element.hidden = this.exit.hidden = true;
    this.element.replaceChildren();
  }

  /** Show every pixel of the photo as one of the screen, or the photo whole. */
  zoom() {
    this.real = !this.real;
    this.lay();
  }

  toggleOverlay() {
    this.overlay = !this.overlay;
    this.lay();
  }

  refresh() {
    for (const pane of this.element.children) {
      pane.querySelector("figcaption").replaceChildren(...this.describe(pane.photo));
      if (pane.cropped !== JSON.stringify(pane.photo.crops)) this.showCrops(pane);
    }
  }

  makePane(photo) {
    const pane = document.createElement("figure");
    pane.photo = photo;
    const view = pane.appendChild(document.createElement("div"));
    view.className = "view";
    // The small picture is there at once, and stays where the browser cannot show the photo itself.
    for (const [name, url] of [["small", photo.thumb], ["whole", photo.full], ["tint", photo.overlay]]) {
      if (!url) continue;
      const picture = view.appendChild(new Image());
      picture.className = name;
      picture.alt = "";
      picture.draggable = false;
      picture.addEventListener("error", () => {
        picture.remove();
        if (name === "whole") pane.classList.add("missing");
      });
      picture.src = url;
    }
    for (const { label, place } of photo.boxes ?? []) {
      const box = view.appendChild(document.createElement("div"));
      box.className = "box";
      box.title = label;
      box.place = place;
    }
    pane.appendChild(document.createElement("div")).className = "crops";
    this.showCrops(pane);
    const caption = pane.appendChild(document.createElement("figcaption"));
    caption.append(...this.describe(photo));
    return pane;
  }

  showCrops(pane) {
    const { crops = [] } = pane.photo;
    pane.cropped = JSON.stringify(pane.photo.crops);
    const shown = crops.map(({ label, url, place }) => {
      const crop = document.createElement("span");
      const picture = Object.assign(new Image(), { src: url, alt: label });
      if (place) picture.style.objectPosition = place.map((part) => `${100 * part}%`).join(" ");
      crop.append(picture, label);
      return crop;
    });
    pane.querySelector(".crops").replaceChildren(...shown);
  }

  lay() {
    for (const pane of this.element.children) {
      const view = pane.querySelector(".view");
      const { width, height } = pane.photo;
      const fitting = Math.min(view.clientWidth / width, view.clientHeight / height);
      const scale = this.real ? 1 / devicePixelRatio : fitting;
      const [left, top] = [width, height].map((side, axis) => {
        const room = axis === 0 ? view.clientWidth : view.clientHeight;
        const drawn = side * scale;
        if (drawn <= room) return (room - drawn) / 2;
        return Math.min(0, Math.max(room - drawn, room / 2 - this.place[axis] * drawn));
      });
      for (const picture of view.querySelectorAll("img")) {
        picture.style.cssText = `left:${left}px;top:${top}px;width:${width * scale}px;height:${height * scale}px`;
        if (picture.className === "tint") picture.hidden = !this.overlay;
      }
      for (const box of view.querySelectorAll(".box")) {
        const [x, y, across, down] = box.place;
        box.style.cssText = `left:${left + x * width * scale}px;top:${top + y * height * scale}px;width:${across * width * scale}px;height:${down * height * scale}px`;
      }
      view.classList.toggle("real", this.real);
    }
  }

  drag(start) {
    const view = start.target.closest(".view");
    if (!view || !this.real || start.button !== 0) return;
    start.preventDefault();
    const { width, height } = view.parentElement.photo;
    const from = [...this.place];
    const follow = (event) => {
      const moved = [(event.clientX - start.clientX) / width, (event.clientY - start.clientY) / height];
      this.place = from.map((place, axis) => Math.min(1, Math.max(0, place - moved[axis] * devicePixelRatio)));
      this.lay();
    };
    const end = () => removeEventListener("pointermove", follow);
    addEventListener("pointermove", follow);
    addEventListener("pointerup", end, { once: true });
    addEventListener("pointercancel", end, { once: true });
  }
}
