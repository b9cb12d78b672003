// Builds the bundle into pages/components/grid/dist. The build is reproducible, and file names carry the content's hash.
// It is one bundle for all views of a sheet: they share the modules of sheet/ in the browser, and so its open sheets.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

const root = import.meta.dirname;
const target = process.argv[2] ?? join(root, "../pages/components/grid/dist");
const hash = (text) => createHash("sha256").update(text).digest("hex").slice(0, 12);

/** Glide needs these for image and Markdown cells, which the grid does not have. They stay out of the bundle. */
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
    absWorkingDir: root,
    entryPoints: { grid: "grid/src/mount.tsx" },
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

const text = ({ outputFiles }, extension) => outputFiles.find(({ path }) => path.endsWith(extension)).text;
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

/** The licences of all packages that the bundle contains code of. */
function licences({ inputs }) {
  const packages = new Set();
  for (const path of Object.keys(inputs)) {
    const match = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path);
    if (match) packages.add(match[1]);
  }
  return [...packages].sort().map(licence).join("\n\n");
}

function licence(name) {
  const folder = join(root, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((fileName) => /^licen[cs]e/i.test(fileName));
  const licenceText = file ? readFileSync(join(folder, file), "utf8").trim() : `Licence: ${license}`;
  return `=== ${name} ${version} (${license})\n\n${licenceText}`;
}
