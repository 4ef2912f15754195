// @ts-check
import { emojiOffers } from "./emoji_offers.js";
import { mentionOffers } from "./mention_offers.js";

// What helps where one writes. It is fetched when somebody begins to.
export { mentionOf } from "../lib/mentions.js";
export { Completion } from "./completion.js";
export { asSent } from "./emoji_offers.js";

/** What may be offered there. @param {() => string[]} namesHere @param {string} me */
export const sourcesFor = (namesHere, me) => [mentionOffers(namesHere, me), emojiOffers];
