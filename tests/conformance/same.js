// Tells which scripts and styles mean something else than others: of [{name, before, after}] on standard input, prints
// the names where esbuild, which parses both, writes them differently.
import { transform } from "esbuild";

const pairs = JSON.parse(await new Response(process.stdin).text());
const isStyle = (name) => name.endsWith(".css");
// Names stay as they are: which ones esbuild chooses depends on comments, too.
const options = (name) => ({ loader: isStyle(name) ? "css" : "js", minifySyntax: true, minifyWhitespace: true });
// What a custom property holds it leaves as it was written, where spaces after commas and around it tell nothing.
const plain = (code) => code.replace(/, /g, ",").replace(/(--[\w-]+:) /g, "$1").replace(/ (?=[;}])/g, "");
const written = async (name, text) => {
  const { code } = await transform(text, options(name));
  return isStyle(name) ? plain(code) : code;
};
const different = [];
for (const { name, before, after } of pairs) {
  const [one, two] = await Promise.all([written(name, before), written(name, after)]);
  if (one !== two) different.push({ name, before: one, after: two });
}
process.stdout.write(JSON.stringify(different));
