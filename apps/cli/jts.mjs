#!/usr/bin/env node
// Starts the `jts` command under the Node that the project pins, whatever Node the system has.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const pinned = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url))
const main = fileURLToPath(new URL('./main.ts', import.meta.url))
if (!existsSync(pinned)) {
  console.error('jts is not installed yet: run `npm install` in its folder')
  process.exit(1)
}
const { status, signal } = spawnSync(pinned, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
process.exit(signal === null ? (status ?? 1) : 1)
