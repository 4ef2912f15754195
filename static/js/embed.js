// @ts-check
import { watchChooser } from "./view/chooser.js";
import { byId } from "./view/page.js";

// The page on which one chooses how a room is embedded.

watchChooser(/** @type {HTMLFormElement} */ (byId("chooser")));
