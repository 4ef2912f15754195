// @ts-check
// For a page with Engawa's iframes: gives each the height that its room asks for, between data-min-height and
// data-max-height (CSS pixels). An iframe that nobody gave data-max-height keeps its own height.
//
// Messages are {engawa: 1, type: "height", height}. One counts only where it comes from the window of such an iframe,
// and from the origin of its src, or, where its sandbox takes its origin away, from none.

const VERSION = 1;
const LEAST = 120;

/** @param {HTMLIFrameElement} frame */
const originOf = (frame) => {
  const isOpaque = frame.hasAttribute("sandbox") && !frame.sandbox.contains("allow-same-origin");
  return isOpaque ? "null" : new URL(frame.src, document.baseURI).origin;
};

const frames = () =>
  /** @type {HTMLIFrameElement[]} */ ([...document.querySelectorAll("iframe[data-max-height]")]).filter((frame) =>
    URL.canParse(frame.src, document.baseURI),
  );

addEventListener("message", ({ data, origin, source }) => {
  if (data?.engawa !== VERSION || data.type !== "height" || !Number.isFinite(data.height)) return;
  const frame = frames().find(({ contentWindow }) => contentWindow !== null && contentWindow === source);
  if (!frame || origin !== originOf(frame)) return;
  const least = Number(frame.dataset.minHeight) || LEAST;
  const most = Math.max(least, Number(frame.dataset.maxHeight) || least);
  frame.style.blockSize = `${Math.ceil(Math.min(Math.max(data.height, least), most))}px`;
});

// Those that spoke before we listened say it again. A question tells nothing, so it may go to whatever is there by now;
// one that has not loaded yet speaks by itself.
for (const frame of frames()) frame.contentWindow?.postMessage({ engawa: VERSION, type: "ask" }, "*");
