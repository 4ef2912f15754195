// @ts-check

// A browser may refuse to keep anything, or be full. Then what is written here is not kept, and nothing else changes.

/** @typedef {() => Storage} Place called anew each time: even to name one may be forbidden */

/** @param {Place} place @param {string} name @returns {string | null} */
export function readKept(place, name) {
  try {
    return place().getItem(name);
  } catch {
    return null;
  }
}

/** @param {Place} place @param {string} name @param {string} value empty: keep nothing */
export function keep(place, name, value) {
  try {
    if (value) place().setItem(name, value);
    else place().removeItem(name);
  } catch (error) {
    console.info("Engawa: this browser does not keep what is not sent yet.", error);
  }
}

/** @param {Place} place @param {string} prefix @returns {string[]} */
export function keptNames(place, prefix) {
  try {
    return Object.keys(place()).filter((name) => name.startsWith(prefix));
  } catch {
    return [];
  }
}
