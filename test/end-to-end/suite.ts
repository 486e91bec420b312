// Starts the embedded suite as a user does, as a process of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeData } from '../../apps/embedded/places.ts'
import type { Summary } from '../../apps/embedded/summary.ts'

export const RECORDED = join('..', 'shared', 'data')
export const hasRecorded = existsSync(RECORDED)

export interface Run {
  readonly child: ChildProcess
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
  readonly output: () => string
}

export function start(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Run {
  const child = spawn('node', ['apps/embedded/main.ts', ...words], {
    env: { ...process.env, JTS_PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  const ended = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'))
  })
  return { child, ended, output: () => text }
}

/** A scratch directory for one test. */
export async function scratch(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'jts-end-to-end-'))
  await chmod(path, 0o755)
  return {
    path,
    remove: async () => {
      await removeData(join(path, 'data'))
      await rm(path, { recursive: true, force: true })
    },
  }
}

/** Runs a replay to its end. @throws Error with what it printed unless it exits with 0. */
export async function replay(
  input: string,
  directory: string,
  words: readonly string[] = [],
): Promise<Summary> {
  const file = join(directory, 'summary.json')
  const data = join(directory, 'data')
  const asked = ['--replay', input, '--speed', 'max', '--exit', '--summary', file, '--data', data]
  const run = start(asked.concat(words))
  const code = await run.ended
  if (code !== 0) throw new Error(`the replay ended with ${code}:\n${run.output()}`)
  return JSON.parse(await readFile(file, 'utf8')) as Summary
}
