// Fills NODE_COMPILE_CACHE while the image is built: starts the program, which ends at once for want of settings.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'

const BUNDLE = '/app/index.mjs'
if (!existsSync(BUNDLE)) throw new Error('no bundle: build with --build-arg FUNCTION=<name>')

const { error } = spawnSync(process.execPath, [BUNDLE], { stdio: 'ignore', timeout: 20_000 })
if (error !== undefined) throw error
const entries = readdirSync(process.env.NODE_COMPILE_CACHE, { recursive: true })
if (entries.length < 2) throw new Error('the program left no compile cache')
