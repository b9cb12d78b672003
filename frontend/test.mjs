// Bundles the tests and runs them with Node's own test runner.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = import.meta.dirname;
const parts = ["sheet", "grid"];
const testsIn = (folder, extension) => readdirSync(folder).filter((name) => name.endsWith(extension)).map((name) => join(folder, name));
const out = mkdtempSync(join(root, "node_modules", ".tests-"));
await build({
  absWorkingDir: root,
  entryPoints: parts.flatMap((part) => testsIn(join(root, part, "tests"), ".test.ts")),
  outbase: root,
  bundle: true,
  platform: "node",
  format: "esm",
  outdir: out,
  outExtension: { ".js": ".mjs" },
  packages: "external",
});
const files = parts.flatMap((part) => testsIn(join(out, part, "tests"), ".test.mjs"));
const { status } = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit", cwd: root });
rmSync(out, { recursive: true, force: true });
process.exit(status ?? 1);
