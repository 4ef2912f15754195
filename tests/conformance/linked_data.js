// Reads JSON-LD. Given {vocabulary: {term: definition}, documents: [document]}; prints each as N-Quads. A term that the
// vocabulary does not have is an error, and nothing is asked of the network.
import jsonld from "jsonld";
import { json } from "node:stream/consumers";

const { vocabulary, documents } = await json(process.stdin);
const documentLoader = async (url) => {
  if (!/^https:\/\/schema\.org\/?$/.test(url)) throw new Error(`${url} is not schema.org's context.`);
  return { contextUrl: null, documentUrl: url, document: { "@context": vocabulary } };
};
const quads = documents.map((each) => jsonld.toRDF(each, { documentLoader, safe: true, format: "application/n-quads" }));
console.log(JSON.stringify(await Promise.all(quads)));
