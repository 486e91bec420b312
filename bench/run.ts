// `npm run bench [-- p4 p8]`: every race, or those named, one after another, each in a process of its own.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type RaceResult, verdictOf } from './harness.ts'

const RACES = join(import.meta.dirname, 'races')
const PEERS = join(import.meta.dirname, 'peers')
const RESULTS = join(import.meta.dirname, 'results')

const wanted = process.argv.slice(2)
const races = readdirSync(RACES)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3))
  .filter(
    (race) => wanted.length === 0 || wanted.some((name) => race === name || race.startsWith(`${name}-`)),
  )
  .toSorted((left, right) => left.localeCompare(right, 'en', { numeric: true }))
if (races.length === 0) throw new Error(`no race is called ${wanted.join(' or ')}`)

if (!existsSync(join(PEERS, 'node_modules'))) {
  process.stdout.write('installing what the races run against\n')
  const installed = spawnSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: PEERS, stdio: 'inherit' })
  if (installed.status !== 0) throw new Error('the peers could not be installed')
}

const failed = races.filter((race) => {
  const { status } = spawnSync(process.execPath, ['--expose-gc', join(RACES, `${race}.ts`)], {
    cwd: join(import.meta.dirname, '..'),
    stdio: 'inherit',
  })
  return status !== 0
})

process.stdout.write('\nscoreboard\n')
for (const race of races) {
  if (failed.includes(race)) {
    process.stdout.write(`  FAILED  ${race} did not come to its end\n`)
    continue
  }
  const { targets } = JSON.parse(readFileSync(join(RESULTS, `${race}.json`), 'utf8')) as RaceResult
  for (const target of targets) process.stdout.write(`  ${race.split('-')[0]}  ${verdictOf(target)}\n`)
}
process.exitCode = failed.length === 0 ? 0 : 1
