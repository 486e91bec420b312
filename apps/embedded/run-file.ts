// Who runs on a data directory, and where `jts` finds it: one small file, there from the first moment of a run to its last.
//
// F1. Making the file is what decides between two that start at once; it appears whole.
// F2. A killed process leaves its file, and its number may be another process by now. So a run counts only if it answers
//     at its address, or is so young that it may not listen yet.
import { link, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { systemClock } from '#shared/adapters/system/clock.ts'

const RunFile = z.object({ pid: z.int().positive(), url: z.url().optional() })
/** `url` is missing while the run is still starting. */
export type RunFile = z.output<typeof RunFile>

/** A first start makes its databases: seconds, on a slow disk minutes. */
const START_MS_MAX = 180_000
const ANSWER_MS_MAX = 2_000

const pathIn = (directory: string): string => join(directory, 'run.json')
const textOf = (run: RunFile): string => `${JSON.stringify(run)}\n`

/**
 * Takes a directory, which must exist, for this process. Resolves to the run that has it already, if there is one.
 * @throws Error of the system when the directory cannot be written.
 */
export async function claimDirectory(directory: string): Promise<RunFile | undefined> {
  const own = `${pathIn(directory)}.${process.pid}`
  await writeFile(own, textOf({ pid: process.pid }))
  try {
    for (;;) {
      if (await appears(own, pathIn(directory))) return undefined
      const running = await readRunFile(directory)
      if (running !== undefined) return running
      await removeRunFile(directory)
    }
  } finally {
    await rm(own, { force: true })
  }
}

/** False where there is such a file already (F1). */
async function appears(from: string, path: string): Promise<boolean> {
  try {
    await link(from, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

export const writeRunFile = (directory: string, run: RunFile): Promise<void> =>
  writeFile(pathIn(directory), textOf(run))

export const removeRunFile = (directory: string): Promise<void> => rm(pathIn(directory), { force: true })

/** Undefined when nothing runs there (F2). */
export async function readRunFile(directory: string): Promise<RunFile | undefined> {
  const path = pathIn(directory)
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const read = RunFile.safeParse(parsed(text))
  if (!read.success || !isAlive(read.data.pid)) return undefined
  const { data: run } = read
  if (run.url !== undefined) return (await answers(run.url, run.pid)) ? run : undefined
  const writtenMs = await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
  return systemClock.now() - writtenMs < START_MS_MAX ? run : undefined
}

async function answers(url: string, pid: number): Promise<boolean> {
  try {
    const response = await fetch(new URL('/status', url), { signal: AbortSignal.timeout(ANSWER_MS_MAX) })
    const body: unknown = await response.json()
    return typeof body === 'object' && body !== null && 'pid' in body && body.pid === pid
  } catch {
    return false
  }
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
