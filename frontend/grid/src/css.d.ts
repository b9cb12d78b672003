// Style sheets are bundled by esbuild; for TypeScript they hold nothing.
declare module "*.css";
