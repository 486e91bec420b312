// Prints what is deployed from what is defined. `node scripts/manifests.ts` writes, `--check` compares, and `--schemas`
// holds everything against the published schemas of Kubernetes, Knative and OpenFaaS.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { manifestFiles } from './manifests/files.ts'
import { takeInventory } from './manifests/inventory.ts'
import { OVERLAY_PATHS } from './manifests/knative.ts'
import { checkSchemas } from './manifests/schema-check.ts'
import { templateFiles } from './template/runtime.ts'

const root = resolve(import.meta.dirname, '..')
const isCheck = process.argv.includes('--check')
const stale: string[] = []
const files = manifestFiles(await takeInventory(root))
for (const [path, text] of [...files, ...(await templateFiles(root))]) {
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

if (process.argv.includes('--schemas')) {
  const { faults, lines } = await checkSchemas(root, files, OVERLAY_PATHS)
  for (const line of lines) console.log(line)
  for (const fault of faults) console.error(fault)
  if (faults.length > 0) process.exitCode = 1
}
