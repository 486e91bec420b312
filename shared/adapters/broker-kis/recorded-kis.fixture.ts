// Real KIS frames and answers, where the checkout has them beside it.
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'

const FOLDER = resolve(process.cwd(), '../shared/data/kis')

/** Frame by id (`d01`…), in file order; empty where the data is absent. */
export function recordedFrames(): ReadonlyMap<string, string> {
  const file = resolve(FOLDER, 'ws_frames.txt')
  if (!existsSync(file)) return new Map()
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return new Map(lines.map((line, index) => [`d${String(index + 1).padStart(2, '0')}`, line]))
}

/** The body of a recorded REST answer. */
export function recordedAnswer(name: string): Record<string, unknown> | undefined {
  const file = resolve(FOLDER, 'rest', `${name}.json`)
  if (!existsSync(file)) return undefined
  const parsed = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  return (parsed['body'] ?? parsed) as Record<string, unknown>
}

/** Says that there is nothing to test with, instead of passing in silence. */
export function noRecordedData(what: string): void {
  test(`recorded data not present: ${what}`, () => {
    console.info(`${FOLDER} is not there; ${what} was not checked against recorded data`)
    expect(existsSync(FOLDER)).toBe(false)
  })
}
