// Judges one page as a phone shows it: node judge.js ADDRESS. Chromium is at CHROME_PATH. Prints one object of JSON.
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";

const [address] = process.argv.slice(2);
const browser = await launch({ chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu"], logLevel: "silent" });
try {
  const { lhr } = await lighthouse(address, { port: browser.port, logLevel: "error", output: "json" });
  if (lhr.runtimeError) throw new Error(lhr.runtimeError.message);
  const scores = Object.fromEntries(Object.values(lhr.categories).map(({ id, score }) => [id, score]));
  const milliseconds = (id) => lhr.audits[id].numericValue;
  const weighed = Object.values(lhr.categories).flatMap(({ id, auditRefs }) =>
    auditRefs.filter(({ weight }) => weight).map((audit) => ({ category: id, ...audit })),
  );
  const missed = weighed
    .map(({ category, id }) => ({ category, ...lhr.audits[id] }))
    .filter(({ score, scoreDisplayMode }) => score !== null && score < 0.9 && scoreDisplayMode !== "informative")
    .map(({ category, id, displayValue = "" }) => `${category}: ${id} ${displayValue}`.trim());
  process.stdout.write(
    JSON.stringify({
      scores,
      missed,
      first_ms: milliseconds("first-contentful-paint"),
      largest_ms: milliseconds("largest-contentful-paint"),
      blocked_ms: milliseconds("total-blocking-time"),
      shift: milliseconds("cumulative-layout-shift"),
      bytes: milliseconds("total-byte-weight"),
      details: process.env.LIGHTHOUSE_DETAILS ? lhr.audits : undefined,
    }),
  );
} finally {
  await browser.kill();
}
