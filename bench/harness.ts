// A race: contestants measured in turn, round by round, and what their medians are to each other.
//
// H1. Everything that is compared comes from one run: rounds are interleaved and their order is turned round every second
//     time, so that a neighbour on the machine slows all contestants alike.
// H2. A target is a ratio of medians. One that is missed is printed and stored like one that is met.
// H3. A race checks that its contestants do the same work before it looks at the clock.
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { cpus } from 'node:os'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'

/** What one contestant did in one round: named figures, such as `requestsPerSecond` or `p99Ms`. */
export type Round = Readonly<Record<string, number>>

export interface Contestant<Figures extends Round = Round> {
  readonly name: string
  measure(round: number): Figures | Promise<Figures>
}

export interface Standing {
  readonly name: string
  /** Medians over all rounds. */
  readonly figures: Readonly<Record<string, number>>
  /** As measured, in the order of the rounds. */
  readonly rounds: readonly Round[]
}

export interface Target {
  /** In words: what is divided by what. */
  readonly what: string
  readonly value: number
  readonly atLeast?: number
  readonly atMost?: number
}

export interface RaceResult {
  readonly title: string
  readonly standings: readonly Standing[]
  readonly targets: readonly Target[]
  /** What a reader must know to judge the figures. */
  readonly notes?: readonly string[]
}

/** Runs every contestant once a round (H1). Rounds that only warm up are run first and thrown away. */
export async function interleave(
  contestants: readonly Contestant[],
  { rounds, warmUps = 1 }: { readonly rounds: number; readonly warmUps?: number },
): Promise<readonly Standing[]> {
  const measured = new Map<string, Round[]>(contestants.map(({ name }) => [name, []]))
  for (let round = -warmUps; round < rounds; round += 1) {
    const order = round % 2 === 0 ? contestants : contestants.toReversed()
    for (const contestant of order) {
      const figures = await contestant.measure(round)
      if (round >= 0) measured.get(contestant.name)?.push(figures)
    }
  }
  return contestants.map(({ name }) => standingOf(name, measured.get(name) ?? []))
}

export const standingOf = (name: string, rounds: readonly Round[]): Standing => ({
  name,
  rounds,
  figures: Object.fromEntries(
    Object.keys(rounds[0] ?? {}).map((figure) => [figure, median(rounds.map((round) => round[figure] ?? 0))]),
  ),
})

export const median = (values: readonly number[]): number => percentile(values, 0.5)

/** Nearest rank; the mean of two for the median of an even count. */
export function percentile(values: readonly number[], ratio: number): number {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length / 2
  if (ratio === 0.5 && Number.isInteger(middle)) {
    return ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
  }
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(ratio * sorted.length) - 1))] ?? 0
}

/** A median by the contestant's and the figure's name. */
export function figureOf(standings: readonly Standing[], name: string, figure: string): number {
  const value = standings.find((standing) => standing.name === name)?.figures[figure]
  if (value === undefined) throw new Error(`${name} has no figure ${figure}`)
  return value
}

/** Nanoseconds an operation takes: `times` of them in one go. What `work` returns is added up, so that none is dropped. */
export function nanosecondsEach(times: number, work: (index: number) => number): { nanoseconds: number } {
  let sum = 0
  const startMs = systemStopwatch.elapsedMs()
  for (let index = 0; index < times; index += 1) sum += work(index)
  const elapsedMs = systemStopwatch.elapsedMs() - startMs
  if (Number.isNaN(sum)) throw new Error('a contestant returned no number')
  return { nanoseconds: (elapsedMs * 1e6) / times }
}

export const isMet = ({ value, atLeast, atMost }: Target): boolean =>
  (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost)

/** Prints the race and stores it as `bench/results/<name of the race's file>.json`. */
export function report(file: string, result: RaceResult): void {
  const race = basename(file, '.ts')
  process.stdout.write(`${textOf(race, result)}\n`)
  const directory = join(import.meta.dirname, 'results')
  mkdirSync(directory, { recursive: true })
  const targets = result.targets.map((target) => ({ ...target, isMet: isMet(target) }))
  const machine = { node: process.version, cores: cpus().length, processor: cpus()[0]?.model ?? 'unknown' }
  writeFileSync(
    join(directory, `${race}.json`),
    `${JSON.stringify({ race, ...result, targets, machine }, null, 2)}\n`,
  )
}

export function textOf(race: string, { title, standings, targets, notes = [] }: RaceResult): string {
  const figures = [...new Set(standings.flatMap((standing) => Object.keys(standing.figures)))]
  const rows = [
    ['', ...figures],
    ...standings.map((standing) => [
      standing.name,
      ...figures.map((figure) => written(standing.figures[figure])),
    ]),
  ]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  const table = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
  return [
    `\n${race}: ${title}`,
    ...table.map((line) => `  ${line}`),
    ...targets.map((target) => `  ${verdictOf(target)}`),
    ...notes.map((note) => `  note: ${note}`),
  ].join('\n')
}

export function verdictOf(target: Target): string {
  const { what, value, atLeast, atMost } = target
  const wanted = [
    ...(atLeast === undefined ? [] : [`≥ ${written(atLeast)}`]),
    ...(atMost === undefined ? [] : [`≤ ${written(atMost)}`]),
  ].join(' and ')
  return `${isMet(target) ? 'met   ' : 'MISSED'}  ${what}: ${written(value)} (target ${wanted})`
}

function written(value: number | undefined): string {
  if (value === undefined) return '–'
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US')
  return Number(value.toPrecision(3)).toString()
}
