// Bundles as they ship: built anew, started away from the repository and its packages.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../../test/postgres.ts'
import { ENGINES, bundleProgram } from './bundle.ts'
import { billOfMaterials, licenceTexts, materialsOf, readLockFile } from './materials.ts'
import { programsIn } from './programs.ts'

const root = resolve(import.meta.dirname, '../..')
const programs = programsIn(root)
const scratch = mkdtempSync(join(tmpdir(), 'jts-build-'))
const folder = (name: string): string => join(scratch, name)
const entryOf = (name: string): string => programs.find((program) => program.name === name)?.entry ?? ''

let child: ChildProcess | undefined
let store: TestDatabase | undefined
afterEach(async () => {
  child?.kill('SIGKILL')
  await store?.close()
  child = store = undefined
})
afterAll(() => rmSync(scratch, { recursive: true }))

test('every program with a main.ts is built, and no name twice', () => {
  const entries = ['functions', 'connectors', 'apps'].flatMap((parent) =>
    readdirSync(join(root, parent), { recursive: true, encoding: 'utf8' })
      .map((path) => `${parent}/${path.replaceAll('\\', '/')}`)
      .filter((path) => /^[^/]+\/[^/]+\/main\.ts$/.test(path)),
  )
  expect(programs.map(({ entry }) => entry)).toEqual(expect.arrayContaining(entries))
  expect(new Set(programs.map(({ name }) => name)).size).toBe(programs.length)
})

test('the same sources give the same bytes', async () => {
  const entry = entryOf('record-execution')
  const [first, second] = await Promise.all([
    bundleProgram(root, entry, folder('first')),
    bundleProgram(root, entry, folder('again')),
  ])
  const written = readdirSync(folder('first'), { recursive: true, encoding: 'utf8' }).toSorted()
  expect(written).toEqual(readdirSync(folder('again'), { recursive: true, encoding: 'utf8' }).toSorted())
  for (const file of written.filter((path) => /\.mjs(\.map)?$/.test(path))) {
    expect(readFileSync(join(folder('first'), file)).equals(readFileSync(join(folder('again'), file)))).toBe(
      true,
    )
  }
  expect(first.packages).toEqual(second.packages)
})

test('a bundled function runs without the repository and its packages', { timeout: 30_000 }, async () => {
  await bundleProgram(root, entryOf('record-execution'), folder('function'))
  store = await testDatabase()
  const started = spawn('node', ['index.mjs'], {
    cwd: folder('function'),
    env: {
      PATH: process.env['PATH'] ?? '',
      PORT: '0',
      JTS_DRAIN_GRACE_MS: '0',
      JTS_POSTGRES_URL: store.url,
      JTS_FEE_RATIO: '0.00015',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child = started
  const port = await listening(started)
  const ready = await fetch(`http://127.0.0.1:${port}/ready`)
  expect(ready.status).toBe(200)
  const ended = once(started, 'exit')
  started.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})

/** The port it listens on, from its log. */
async function listening({ stdout }: ChildProcess): Promise<number> {
  for await (const line of createInterface(stdout ?? process.stdin)) {
    const { port } = JSON.parse(line) as { readonly port?: number }
    if (port !== undefined) return port
  }
  throw new Error('it ended before it listened')
}

test('the migrations go with the program that applies them', { timeout: 30_000 }, async () => {
  await bundleProgram(root, entryOf('migrate'), folder('migrate'))
  for (const engine of ['postgres', 'clickhouse']) {
    const migrations = join('infra', engine, 'migrations')
    expect(readdirSync(join(folder('migrate'), migrations))).toEqual(readdirSync(join(root, migrations)))
  }
  store = await testDatabase()
  const { status, stdout } = spawnSync('node', ['index.mjs'], {
    cwd: folder('migrate'),
    env: { PATH: process.env['PATH'] ?? '', JTS_POSTGRES_URL: store.url },
    encoding: 'utf8',
  })
  expect([status, stdout]).toEqual([0, 'PostgreSQL is up to date\n'])
})

test(
  'no function and no connector carries an engine of the embedded suite',
  { timeout: 60_000 },
  async () => {
    const deployed = programs.filter(({ kind }) => kind === 'function' || kind === 'connector')
    const bundles = await Promise.all(
      deployed.map(({ name, entry }) => bundleProgram(root, entry, folder(`deployed-${name}`))),
    )
    expect(deployed.length).toBeGreaterThan(0)
    for (const { packages } of bundles) {
      expect(packages.filter((path) => ENGINES.some((each) => path.includes(`/${each}`)))).toEqual([])
    }
  },
)

test('a bundle tells what it is made of: pinned by the lock file, each package with its licence', async () => {
  const { packages } = await bundleProgram(root, entryOf('record-execution'), folder('materials'))
  const materials = materialsOf(readLockFile(root), packages)
  expect(materials.map(({ name }) => name)).toEqual(expect.arrayContaining(['hono', 'pg', 'zod']))

  const bill = JSON.parse(billOfMaterials('record-execution', '1.2.3', materials)) as {
    readonly components: readonly {
      readonly purl: string
      readonly hashes: readonly { readonly content: string }[]
    }[]
  }
  expect(bill).toMatchObject({
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    metadata: { component: { name: 'jts/record-execution', version: '1.2.3' } },
  })
  for (const { purl, hashes } of bill.components) {
    expect(purl).toMatch(/^pkg:npm\/(%40[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+/)
    expect(hashes[0]?.content).toMatch(/^[\da-f]{128}$/)
  }

  const texts = licenceTexts(root, packages, materials)
  for (const { name, version } of materials) expect(texts).toContain(`${name} ${version}, `)
  expect(texts).toContain('Permission is hereby granted')
})

test('a package that is not pinned cannot go into a bill of materials', () => {
  expect(() => materialsOf(readLockFile(root), ['node_modules/no-such-package'])).toThrow(
    'package-lock.json does not pin node_modules/no-such-package',
  )
})
