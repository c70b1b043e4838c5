// The report of a ranking.

import { Chooser } from "./chooser.js";

const { report, folder, photos } = JSON.parse(document.getElementById("data").textContent);
const chooser = new Chooser(document.getElementById("chooser"), { name: `blurmapper ${report}`, folder });
chooser.show(photos);
chooser.focus();
