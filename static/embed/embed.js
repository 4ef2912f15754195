// @ts-check
// In the page that other sites frame: tells the page around how high the room would like to be. Nothing that is said
// here is more than a number, so it may go to whoever frames us.

const VERSION = 1;
const room = /** @type {HTMLElement} */ (document.querySelector("engawa-room"));
let height = 0;

function report() {
  if (parent !== window && height) parent.postMessage({ engawa: VERSION, type: "height", height }, "*");
}

room.addEventListener("engawa:resize", (event) => {
  height = /** @type {CustomEvent} */ (event).detail.height;
  report();
});
// What showed without scripts is not kept up to date: it goes as soon as something is that is.
room.addEventListener("engawa:load", () => room.replaceChildren());
room.addEventListener("engawa:state", () => room.matches("[state=gone]") && room.replaceChildren());
addEventListener("message", ({ source, data }) => {
  if (source === parent && data?.engawa === VERSION && data.type === "ask") report();
});
