// The whole program against a system that refuses to let its journal grow, as a full disk does.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'

interface Run {
  readonly code: number | null
  readonly output: string
}

function simulator(limit: string, state: string, stopAfterMs?: number): Promise<Run> {
  const words = `--state '${state}' --port 0 --websocket-port 0 --speed max`
  const command = `${limit} exec '${process.execPath}' apps/kis-simulator/main.ts ${words}`
  const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (stopAfterMs !== undefined && output.includes('Ctrl-C stops'))
        void sleep(stopAfterMs).then(() => child.kill('SIGINT'))
    })
  }
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, output }))
  })
}

test('a journal that can grow no more ends the broker with a reason; a new start goes on', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'jts-journal-full-'))
  const state = join(directory, 'journal')
  const full = await simulator('ulimit -f 40;', state)
  expect(full.code).toBe(1)
  expect(full.output).toContain(`the disk that holds ${state} is full`)
  expect((await stat(state)).size).toBeLessThanOrEqual(40 * 1024)

  const again = await simulator('', state, 300)
  expect(again.output).toContain('Stopped.')
  expect(again.code).toBe(0)
  await rm(directory, { recursive: true })
}, 60_000)
