// Prints the documents that are made from code. `node scripts/docs.ts` writes them, `--check` compares them.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CONTRACTS } from '#shared/events/catalogue.ts'
import { configurationDoc, envExample } from './docs/configuration.ts'
import { eventsDoc } from './docs/events.ts'
import { loadParticipants, loadSections } from './docs/repository.ts'

const root = resolve(import.meta.dirname, '..')

/** Path from the root → what it must hold. */
async function documents(): Promise<ReadonlyMap<string, string>> {
  const [participants, sections] = await Promise.all([loadParticipants(root), loadSections(root)])
  const pages = new Map([
    ['docs/events.md', eventsDoc(CONTRACTS, participants)],
    ['docs/configuration.md', configurationDoc(sections)],
    ['.env.example', envExample(sections)],
  ])
  const lifecycle = join(root, 'scripts/docs/order-lifecycle.ts')
  if (existsSync(lifecycle)) {
    const { orderLifecycleDoc } = (await import(pathToFileURL(lifecycle).href)) as {
      orderLifecycleDoc: () => string
    }
    pages.set('docs/order-lifecycle.md', orderLifecycleDoc())
  }
  return pages
}

const isCheck = process.argv.includes('--check')
const stale: string[] = []
for (const [path, text] of await documents()) {
  const file = join(root, path)
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
  stale.push(path)
  if (isCheck) continue
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

if (!isCheck) {
  console.log(stale.length === 0 ? 'docs: all current' : `docs: wrote ${stale.join(', ')}`)
} else if (stale.length > 0) {
  console.error(`docs: not current: ${stale.join(', ')}\nRenew with: node scripts/docs.ts`)
  process.exitCode = 1
}
