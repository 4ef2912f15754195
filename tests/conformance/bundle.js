// Makes one script of a component as docs/embedding.md has it, and of a page that uses it, as a build tool would.
// The argument is "jsx" or "vue"; the component comes by standard input, the script goes to standard output.

import { readFileSync } from "node:fs";
import { build } from "esbuild";
import { compileScript, parse } from "vue/compiler-sfc";

const PAGES = {
  jsx: `
    import { createRoot } from "react-dom/client";
    import { Room } from "./component.js";
    const { src } = document.body.dataset;
    const root = createRoot(document.getElementById("app"));
    const heard = ({ message }) => { document.title = message; };
    root.render(<Room src={src} onMessage={heard} />);
    window.leave = () => root.unmount();
  `,
  vue: `
    import { createApp, h } from "vue";
    import Room from "./component.js";
    const { src } = document.body.dataset;
    const app = createApp(() => h(Room, { src, onMessage: ({ message }) => { document.title = message; } }));
    app.mount("#app");
    window.leave = () => app.unmount();
  `,
};

/** What Vue's own build tools make of a file. @param {string} source */
function compiled(source) {
  const { descriptor } = parse(source);
  const templateOptions = { compilerOptions: { isCustomElement: (tag) => tag === "engawa-room" } };
  return compileScript(descriptor, { id: "room", inlineTemplate: true, templateOptions }).content;
}

const [, , kind] = process.argv;
const given = readFileSync(0, "utf-8");
const component = kind === "vue" ? compiled(given) : given;
const folder = import.meta.dirname;
const { outputFiles } = await build({
  stdin: { contents: PAGES[kind], loader: "jsx", resolveDir: folder },
  plugins: [
    {
      name: "component",
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /^\.\/component\.js$/ }, () => ({ path: "component", namespace: "given" }));
        onLoad({ filter: /.*/, namespace: "given" }, () => ({ contents: component, loader: "jsx", resolveDir: folder }));
      },
    },
  ],
  bundle: true,
  format: "iife",
  jsx: "automatic",
  write: false,
  define: {
    "process.env.NODE_ENV": '"production"',
    __VUE_OPTIONS_API__: "false",
    __VUE_PROD_DEVTOOLS__: "false",
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
  },
  logLevel: "error",
});
process.stdout.write(outputFiles[0].text);
