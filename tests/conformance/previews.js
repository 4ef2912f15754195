// Makes the preview of each page whose address is given, as one that shows links does; after "xml", by oEmbed's XML.
import { unfurl } from "unfurl.js";

const [form, ...urls] = process.argv.slice(2);
// Who knows XML only sees no other link.
async function withoutJson(url) {
  const { headers, ...answer } = await fetch(url).then(async (answer) => ({ headers: answer.headers, text: await answer.text() }));
  const text = answer.text.replaceAll(/<link[^>]*application\/json\+oembed[^>]*>/g, "");
  return new Response(text, { headers: { "Content-Type": headers.get("Content-Type") } });
}
const previews = urls.map((url) => unfurl(url, form === "xml" ? { fetch: withoutJson } : {}));
console.log(JSON.stringify(await Promise.all(previews)));
