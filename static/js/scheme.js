// Before anything is shown: light or dark, where that was chosen. A script of its own, as a page's policy wants it, and
// not a module, which would come too late.
(() => {
  const NAME = "engawa:scheme";
  const root = document.documentElement;
  const kept = () => {
    try {
      return localStorage.getItem(NAME) ?? "";
    } catch {
      return "";
    }
  };
  const show = (/** @type {string} */ scheme) => {
    if (scheme === "light" || scheme === "dark") root.dataset.scheme = scheme;
    else delete root.dataset.scheme;
  };
  show(kept());
  addEventListener("storage", ({ key }) => key === NAME && show(kept()));
  addEventListener("DOMContentLoaded", () => {
    const choice = /** @type {HTMLFieldSetElement | null} */ (document.getElementById("schemes"));
    if (!choice) return;
    choice.hidden = false;
    for (const input of choice.querySelectorAll("input")) {
      input.checked = input.value === (root.dataset.scheme ?? "");
      input.addEventListener("change", () => {
        show(input.value);
        try {
          if (input.value) localStorage.setItem(NAME, input.value);
          else localStorage.removeItem(NAME);
        } catch {
          // Then it holds for this page.
        }
      });
    }
  });
})();
