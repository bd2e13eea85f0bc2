// A question a line, an answer a line: a list of calls of the engine (calls.mjs), or ["receipts", {"forget": 0.5}].
import { createInterface } from "node:readline";
import { answers } from "./calls.mjs";

async function answer(line) {
  const [name, state] = JSON.parse(line);
  if (typeof name !== "string") return answers(line);
  const { default: made } = await import(`../../book/live/${name}.js`);
  return JSON.stringify({ picture: made.still(state), phrases: made.phrases(state) });
}

for await (const line of createInterface({ input: process.stdin })) console.log(await answer(line));
