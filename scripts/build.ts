// `npm run build`: every program as a bundle in `dist/<name>/`, with its source map, bill of materials and licences, and
// `dist/manifest.json` that says what was built and how large it is. Names as arguments build only these;
// `--list` prints the names of those that run without packages beside them.
import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { bundleProgram } from './build/bundle.ts'
import { billOfMaterials, licenceTexts, materialsOf, readLockFile } from './build/materials.ts'
import { type Program, programsIn, runsAlone } from './build/programs.ts'

interface Built {
  readonly name: string
  readonly kind: Program['kind']
  /** Of all its files. */
  readonly bytes: number
  /** Of what every start reads; the rest is loaded when it is needed. */
  readonly startBytes: number
  readonly gzipBytes: number
  readonly sha256: string
  readonly packages: readonly string[]
}

const root = resolve(import.meta.dirname, '..')
const dist = join(root, 'dist')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }

async function buildProgram({ name, kind, entry }: Program): Promise<Built> {
  const folder = join(dist, name)
  const { file, files, packages } = await bundleProgram(root, entry, folder)
  const materials = materialsOf(readLockFile(root), packages)
  writeFileSync(join(folder, 'sbom.cdx.json'), billOfMaterials(name, version, materials))
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), licenceTexts(root, packages, materials))
  const bundle = Buffer.concat(files.map((path) => readFileSync(path)))
  return {
    name,
    kind,
    bytes: bundle.length,
    startBytes: startBytesOf(file),
    gzipBytes: gzipSync(bundle).length,
    sha256: createHash('sha256').update(bundle).digest('hex'),
    packages: materials.map((material) => `${material.name}@${material.version}`),
  }
}

/** The file and all that it imports at once. */
function startBytesOf(file: string, seen = new Set<string>()): number {
  if (seen.has(file)) return 0
  seen.add(file)
  const text = readFileSync(file, 'utf8')
  const imported = [...text.matchAll(/(?:^|[;}\n])(?:import|export)(?:[^;'"()]*from)?"(\.[^"]+)"/g)]
  return imported.reduce(
    (sum, [, path = '']) => sum + startBytesOf(join(dirname(file), path), seen),
    Buffer.byteLength(text),
  )
}

function chosen(names: readonly string[]): readonly Program[] {
  const programs = programsIn(root)
  const unknown = names.filter((name) => !programs.some((program) => program.name === name))
  if (unknown.length > 0) {
    throw new Error(
      `no such program: ${unknown.join(', ')}. There are ${programs.map(({ name }) => name).join(', ')}`,
    )
  }
  return names.length === 0 ? programs : programs.filter(({ name }) => names.includes(name))
}

const kilobytes = (bytes: number): string => `${Math.round(bytes / 1_024)} kB`.padStart(8)

try {
  const names = process.argv.slice(2)
  if (names[0] === '--list') {
    console.log(
      programsIn(root)
        .filter(runsAlone)
        .map(({ name }) => name)
        .join('\n'),
    )
    process.exit()
  }
  const programs = chosen(names)
  if (names.length === 0) rmSync(dist, { recursive: true, force: true })
  const built = await Promise.all(programs.map(buildProgram))
  if (names.length === 0) {
    writeFileSync(join(dist, 'manifest.json'), `${JSON.stringify({ version, programs: built }, null, 2)}\n`)
  }
  for (const { name, kind, bytes, startBytes, gzipBytes } of built) {
    const sizes = `${kilobytes(startBytes)} at start ${kilobytes(bytes)} in all ${kilobytes(gzipBytes)} compressed`
    console.log(`${name.padEnd(20)} ${kind.padEnd(10)} ${sizes}`)
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
