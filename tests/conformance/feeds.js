// Reads feeds. Given {atom: [text], json: [text]}; prints what feedsmith makes of each, and what JSON Feed's schema says.
import Ajv from "ajv";
import addFormats from "ajv-formats";
import { parseAtomFeed, parseJsonFeed } from "feedsmith";
import schema from "jsonfeed-schema/schema-v1.1.json" with { type: "json" };
import { json } from "node:stream/consumers";

const ajv = new Ajv.default({ allErrors: true, strict: false });
addFormats.default(ajv);
const isValid = ajv.compile(schema);
const given = await json(process.stdin);
const parsed = given.json.map((text) => JSON.parse(text));
const said = {
  atom: given.atom.map((text) => parseAtomFeed(text)),
  json: parsed.map((feed) => parseJsonFeed(feed)),
  wrong: parsed.map((feed) => (isValid(feed) ? [] : isValid.errors)),
};
console.log(JSON.stringify(said));
