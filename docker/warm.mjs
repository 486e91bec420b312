// Fills NODE_COMPILE_CACHE while the image is built: starts the program, which ends for want of settings, or is told to.
// An image without the cache is as right, and slower to start.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'

const BUNDLE = '/app/index.mjs'
const CACHE = process.env.NODE_COMPILE_CACHE
if (!existsSync(BUNDLE)) throw new Error('no bundle: build with --build-arg FUNCTION=<name>')

spawnSync(process.execPath, [BUNDLE], { stdio: 'ignore', timeout: 5_000, killSignal: 'SIGTERM' })
const files = existsSync(CACHE) ? readdirSync(CACHE, { recursive: true, withFileTypes: true }) : []
console.log(files.some((entry) => entry.isFile()) ? 'compile cache filled' : 'compile cache EMPTY')
