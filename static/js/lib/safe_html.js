// @ts-check

const KEPT = new Set(["P", "BR", "CODE", "PRE", "EM", "STRONG", "BLOCKQUOTE"]);
const LINKED = new Set(["http:", "https:", "mailto:"]);

/**
 * An event's HTML as nodes. The server sanitised it; a page still puts in only what it made itself, element by
 * element, from a document in which nothing runs or loads. Whatever is not known becomes its text.
 * @param {string} html
 * @returns {DocumentFragment}
 */
export function safeFragment(html) {
  const fragment = document.createDocumentFragment();
  copyChildren(new DOMParser().parseFromString(html, "text/html").body, fragment);
  return fragment;
}

/** @param {Node} from @param {Node} to */
function copyChildren(from, to) {
  for (const child of from.childNodes) {
    const copy = child instanceof Element ? copyOf(child) : null;
    if (copy) {
      copyChildren(child, copy);
      to.appendChild(copy);
    } else if (child.nodeType === Node.TEXT_NODE || child instanceof Element) {
      to.appendChild(document.createTextNode(child.textContent ?? ""));
    }
  }
}

/** @param {Element} element */
function copyOf(element) {
  if (KEPT.has(element.tagName)) return document.createElement(element.tagName);
  if (element.matches("span.mention")) {
    const mention = document.createElement("span");
    mention.className = "mention";
    return mention;
  }
  const href = element.tagName === "A" ? element.getAttribute("href") : null;
  if (href === null || !URL.canParse(href) || !LINKED.has(new URL(href).protocol)) return null;
  const link = document.createElement("a");
  link.href = href;
  link.rel = "nofollow ugc noopener";
  return link;
}
