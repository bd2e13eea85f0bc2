import { readFileSync } from "node:fs";
import { answers } from "./calls.mjs";

console.log(answers(readFileSync(0, "utf8")));
