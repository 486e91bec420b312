// Prints what is deployed from what is defined. `node scripts/manifests.ts` writes, `--check` compares.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { manifestFiles } from './manifests/files.ts'
import { takeInventory } from './manifests/inventory.ts'

const root = resolve(import.meta.dirname, '..')
const isCheck = process.argv.includes('--check')
const stale: string[] = []
for (const [path, text] of manifestFiles(await takeInventory(root))) {
  const file = join(root, path)
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
  stale.push(path)
  if (isCheck) continue
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

if (!isCheck) {
  console.log(stale.length === 0 ? 'manifests: all current' : `manifests: wrote ${stale.join(', ')}`)
} else if (stale.length > 0) {
  console.error(`manifests: not current: ${stale.join(', ')}\nRenew with: npm run manifests`)
  process.exitCode = 1
}
