// How `jts` finds the suite that runs on a data directory: one small file, there while it runs.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'

const RunFile = z.object({ pid: z.int().positive(), url: z.url() })
export type RunFile = z.output<typeof RunFile>

const pathIn = (directory: string): string => join(directory, 'run.json')

export const writeRunFile = (directory: string, run: RunFile): Promise<void> =>
  writeFile(pathIn(directory), `${JSON.stringify(run)}\n`)

export const removeRunFile = (directory: string): Promise<void> => rm(pathIn(directory), { force: true })

/** Undefined when nothing runs there; a file left by a killed process does not count. */
export async function readRunFile(directory: string): Promise<RunFile | undefined> {
  const text = await readFile(pathIn(directory), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const run = RunFile.safeParse(parsed(text))
  return run.success && isAlive(run.data.pid) ? run.data : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
