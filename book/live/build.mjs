// node build.mjs MODULES OUT DIGITS NAME...: each explorable as one classic script, OUT/NAME.js, which mounts itself.
// Modules do not load from a file on disk; classic scripts do.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [modules, out, digits, ...names] = process.argv.slice(2), here = dirname(fileURLToPath(import.meta.url));
const { build } = createRequire(join(modules, "esbuild", "package.json"))("esbuild");
const common = { bundle: true, minify: true, target: "es2020", logLevel: "error", legalComments: "none",
  nodePaths: [modules], alias: { digits }, loader: { ".txt": "text" } };

// `import text from "worker:./trainer.js"`: a worker's whole code as a string, for a Blob
const worker = {
  name: "worker",
  setup(step) {
    step.onResolve({ filter: /^worker:/ }, ({ path }) => ({ path: join(here, path.slice(7)), namespace: "worker" }));
    step.onLoad({ filter: /./, namespace: "worker" }, async ({ path }) => {
      const made = await build({ ...common, entryPoints: [path], format: "iife", write: false });
      return { contents: made.outputFiles[0].text, loader: "text" };
    });
  },
};
for (const name of names) {
  const brings = { symbol: 'import trainer from "worker:./trainer.js"; import digits from "digits"; Object.assign(resources, { trainer, digits }); ',
    ask: 'import speaker from "worker:./speaker.js"; Object.assign(resources, { speaker }); ' };
  const uses = brings[name] ?? "";
  const entry = `import made, { spec } from "./${name}.js"; import { mount, resources } from "./frame.js"; ${uses}mount(spec, made);`;
  await build({ ...common, stdin: { contents: entry, resolveDir: here }, format: "iife", outfile: join(out, `${name}.js`), plugins: [worker] });
}
