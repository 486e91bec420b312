// Runs one program of JTS in a development container: with the debugger open, again when a source changes, and again a
// little later when it ended by itself, as it does when a server is away. `node --watch` would wait for a change then.
import { spawn } from 'node:child_process'
import { globSync, watch } from 'node:fs'

const AGAIN_MS = 5_000
/** Editors write a file in several steps. */
const SETTLE_MS = 200
const TEST_SOURCE = /\.(test|contract|fixture|bench)\.ts$/
const SOURCES = ['apps', 'connectors', 'functions', 'shared']

const name = process.env.FUNCTION ?? ''
const [entry, ...others] = globSync(`{apps,connectors,functions}/${name}/main.ts`)
if (name === '' || entry === undefined || others.length > 0) {
  console.error(`FUNCTION must name a function, a connector or an app, not ${JSON.stringify(name)}`)
  process.exit(2)
}

let child
let timer
let isEnding = false
let isChanged = false

function start() {
  timer = undefined
  isChanged = false
  child = spawn(process.execPath, ['--inspect=0.0.0.0:9229', entry], { stdio: 'inherit' })
  child.once('exit', ended)
}

function ended(code, signal) {
  child = undefined
  if (isEnding) process.exit(code ?? 1)
  if (isChanged) {
    start()
    return
  }
  const soon = `again in ${AGAIN_MS / 1_000} seconds, or when a source changes`
  console.error(`${name} ended with ${signal ?? code}; ${soon}`)
  timer = setTimeout(start, AGAIN_MS)
}

function restart() {
  isChanged = true
  if (child === undefined) start()
  else child.kill('SIGTERM')
}

function restartSoon() {
  clearTimeout(timer)
  timer = setTimeout(restart, SETTLE_MS)
}

for (const folder of SOURCES) {
  watch(folder, { recursive: true }, (_, file) => {
    if (file?.endsWith('.ts') === true && !TEST_SOURCE.test(file)) restartSoon()
  })
}
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    isEnding = true
    clearTimeout(timer)
    if (child === undefined) process.exit()
    child.kill(signal)
  })
}
start()
