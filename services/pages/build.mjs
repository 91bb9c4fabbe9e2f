// Bundle the page into static/, with names that change when the content does.
import { copyFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { build } from "esbuild";

const LIMIT_BYTES = 150 * 1024;
const NEW = "node_modules/.static";

await rm(NEW, { recursive: true, force: true });
await mkdir(NEW, { recursive: true });
const { metafile } = await build({
  entryPoints: ["src/page.tsx", "src/page.css"],
  outdir: NEW,
  entryNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});

const names = Object.keys(metafile.outputs).map((path) => basename(path));
let html = await readFile("index.html", "utf8");
for (const extension of ["js", "css"]) {
  const name = names.find((each) => each.endsWith(`.${extension}`));
  html = html.replace(`page.${extension}`, name);
}
await writeFile(`${NEW}/index.html`, html);
await copyFile("icon.svg", `${NEW}/icon.svg`);

const bytes = Object.values(metafile.outputs).reduce((sum, each) => sum + each.bytes, html.length);
if (bytes > LIMIT_BYTES) {
  throw new Error(`the page has ${bytes} bytes, more than ${LIMIT_BYTES}`);
}

// Whoever asks while this runs gets the old page or the new one.
await rm("static", { recursive: true, force: true });
await rename(NEW, "static");
console.log(`built services/pages/static: ${(bytes / 1024).toFixed(0)} KiB`);
