// @ts-check

// Less is a bar of the browser, and who has enlarged the page moves about in it.
const LEAST_PX = 80;

/**
 * Where a keyboard on the screen lies over the page rather than making it smaller, as on iOS, the page ends above it:
 * `--keyboard` is how much of it is covered.
 */
export function makeRoomForKeyboard() {
  const viewport = globalThis.visualViewport;
  viewport?.addEventListener("resize", () => {
    const covered = viewport.scale === 1 ? innerHeight - viewport.height : 0;
    document.documentElement.style.setProperty("--keyboard", covered > LEAST_PX ? `${covered}px` : "0px");
    // Safari moves the page up for what has the focus; there is no need to any more.
    if (covered > LEAST_PX) scrollTo(0, 0);
  });
}
