// @ts-check

const MARGIN_PX = 8;
const GAP_PX = 4;
const ENOUGH_PX = 160;

/**
 * Put what floats above something, or below it where there is no room; never beyond the window.
 * @param {HTMLElement} element shown, so that it can be measured
 * @param {HTMLElement} anchor
 */
export function placeBeside(element, anchor) {
  const { top, bottom, left } = anchor.getBoundingClientRect();
  const { clientHeight: height, clientWidth: width } = document.documentElement;
  const isAbove = top > ENOUGH_PX || top > height - bottom;
  const room = (isAbove ? top : height - bottom) - MARGIN_PX - GAP_PX;
  const { style } = element;
  style.setProperty("--float-room", `${room}px`);
  style.setProperty("--float-bottom", isAbove ? `${height - top + GAP_PX}px` : "auto");
  style.setProperty("--float-top", isAbove ? "auto" : `${bottom + GAP_PX}px`);
  style.setProperty("--float-left", `${Math.max(MARGIN_PX, Math.min(left, width - element.offsetWidth - MARGIN_PX))}px`);
}
