// Builds the grid into pages/components/grid/dist. Same source, same bytes: the file names carry the content's hash.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

const here = import.meta.dirname;
const target = process.argv[2] ?? join(here, "../../pages/components/grid/dist");
const hash = (text) => createHash("sha256").update(text).digest("hex").slice(0, 12);

/** Glide draws pictures and Markdown with these; no cell of ours is either, so they stay out of the bundle. */
const unused = {
  name: "unused",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(marked|react-responsive-carousel)$/ }, ({ path }) => ({ path, namespace: "unused" }));
    onLoad({ filter: /.*/, namespace: "unused" }, () => ({
      contents: "export const marked = (text) => text; export const Carousel = () => null;",
    }));
  },
};

const bundle = (define) =>
  build({
    absWorkingDir: here,
    entryPoints: { grid: "src/mount.tsx" },
    outdir: "out",
    write: false,
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022"],
    jsx: "automatic",
    legalComments: "none",
    metafile: true,
    plugins: [unused],
    define: { "process.env.NODE_ENV": '"production"', ...define },
  });

const text = ({ outputFiles }, end) => outputFiles.find(({ path }) => path.endsWith(end)).text;
const style = text(await bundle({ STYLE_SHEET: '""' }), ".css");
const sheet = `grid.${hash(style)}.css`;
const built = await bundle({ STYLE_SHEET: JSON.stringify(sheet) });
const script = text(built, ".js");

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
writeFileSync(join(target, sheet), style);
writeFileSync(join(target, `grid.${hash(script)}.js`), script);
writeFileSync(join(target, "THIRD-PARTY-LICENCES.txt"), licences(built.metafile));
for (const name of readdirSync(target)) console.log(relative(process.cwd(), join(target, name)));

/** The licence of every package of which something is in the bundle. */
function licences({ inputs }) {
  const packages = new Set();
  for (const path of Object.keys(inputs)) {
    const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path);
    if (found) packages.add(found[1]);
  }
  return [...packages].sort().map(licence).join("\n\n");
}

function licence(name) {
  const folder = join(here, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  const words = file ? readFileSync(join(folder, file), "utf8").trim() : `Licence: ${license}`;
  return `=== ${name} ${version} (${license})\n\n${words}`;
}
