// Tests that need servers. `npm run test:integration` starts them and passes their addresses as settings. A file whose
// text names the setting of a server that is not there is left out, and that is said.
import { globSync, readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { SERVICES } from './scripts/services/services.ts'

const FILES = '{apps,bench,connectors,functions,scripts,shared,test}/**/*.integration.test.ts'

const unset = Object.values(SERVICES).filter((name) => (process.env[name] ?? '') === '')
const skipped = globSync(FILES, { exclude: ['**/node_modules/**'] }).filter((path) => {
  const text = readFileSync(path, 'utf8')
  const needed = unset.filter((name) => text.includes(name))
  if (needed.length > 0) console.warn(`SKIPPED ${path}: ${needed.join(' and ')} not set`)
  return needed.length > 0
})

export default defineConfig({
  test: {
    include: [FILES],
    exclude: ['**/node_modules/**', ...skipped],
    globalSetup: ['test/global-setup.ts'],
    passWithNoTests: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // The files share the servers, and some of them stop and start servers of their own.
    fileParallelism: false,
  },
})
