// The report of a ranking.

import { Chooser } from "./chooser.js";

const { folder, photos } = JSON.parse(document.getElementById("data").textContent);
const chooser = new Chooser(document.getElementById("chooser"), { name: `blurmapper ${folder}`, folder });
chooser.show(photos);
chooser.focus();
