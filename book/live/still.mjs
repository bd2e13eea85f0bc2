// node still.mjs < ["receipts", {"forget": 0.5}]: the first picture, and what the prose beside it says, as JSON.
import { readFileSync } from "node:fs";

const [name, state] = JSON.parse(readFileSync(0, "utf8"));
const { default: made } = await import(`./${name}.js`);
console.log(JSON.stringify({ picture: made.still(state), phrases: made.phrases(state) }));
