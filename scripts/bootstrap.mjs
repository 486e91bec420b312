// Runs before `npm start`, `npm test` and their like, on any Node from 20 on: installs what the lock file names unless
// that was done, so that one command is enough on a fresh clone.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [major = 0] = process.versions.node.split('.').map(Number)
if (major < 20) {
  console.error(`JTS needs Node 20 or newer to start itself; this is ${process.version}`)
  process.exit(1)
}

const digest = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')
const mark = join(root, 'node_modules', '.jts-installed')
const pinned = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')

const isInstalled = existsSync(pinned) && existsSync(mark) && readFileSync(mark, 'utf8') === digest
if (!isInstalled) {
  console.log('Installing packages (once)…')
  const npm = process.env.npm_execpath
  // Not `npm ci`: the lock file is written on one platform, and some packages bring binaries for others.
  const words = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']
  const options = { cwd: root, stdio: 'inherit', env: { ...process.env, NODE_ENV: 'development' } }
  const { status } =
    npm === undefined
      ? spawnSync('npm', words, { ...options, shell: process.platform === 'win32' })
      : spawnSync(process.execPath, [npm, ...words], options)
  if (status !== 0 || !existsSync(pinned)) {
    console.error('npm install did not succeed; what it said stands above')
    process.exit(1)
  }
  writeFileSync(mark, digest)
}
