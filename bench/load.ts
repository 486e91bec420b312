// One POST, over and over, from 32 connections: by wrk where it is installed, else by autocannon.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LOAD_CORE, output } from './processes.ts'

export interface Load {
  readonly port: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly seconds: number
  readonly connections: number
}

export interface LoadFigures {
  readonly [figure: string]: number
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const HAS_WRK = spawnSync('wrk', ['--version']).error === undefined
const AUTOCANNON = join(import.meta.dirname, 'peers/node_modules/autocannon/autocannon.js')

export const generatorNote: string = HAS_WRK ? 'load by wrk' : 'load by autocannon: wrk is not installed'

/** @throws Error when an answer is not a 2xx: a race between refusals says nothing. */
export const loadOf = (load: Load): Promise<LoadFigures> => (HAS_WRK ? byWrk(load) : byAutocannon(load))

async function byWrk({ port, headers, body, seconds, connections }: Load): Promise<LoadFigures> {
  const directory = mkdtempSync(join(tmpdir(), 'jts-bench-'))
  const script = join(directory, 'post.lua')
  const lines = Object.entries(headers).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  )
  writeFileSync(
    script,
    [
      'wrk.method = "POST"',
      `wrk.body = [==[${body}]==]`,
      ...lines,
      'done = function(summary, latency)',
      '  local e = summary.errors',
      '  print(string.format("figures %d %d %d %d %d", summary.requests, summary.duration,',
      '    latency:percentile(50), latency:percentile(99), e.status + e.read + e.write + e.connect + e.timeout))',
      'end',
    ].join('\n'),
  )
  try {
    const text = await output(LOAD_CORE, [
      'wrk',
      '-t1',
      `-c${connections}`,
      `-d${seconds}s`,
      '-s',
      script,
      `http://127.0.0.1:${port}/`,
    ])
    const match = /figures (\d+) (\d+) (\d+) (\d+) (\d+)/.exec(text)
    const [requests = 0, microseconds = 0, p50 = 0, p99 = 0, errors = 0] = (match ?? []).slice(1).map(Number)
    if (match === null || errors > 0) throw new Error(`port ${port}: ${errors} requests failed\n${text}`)
    return { requestsPerSecond: (requests * 1e6) / microseconds, p50Ms: p50 / 1e3, p99Ms: p99 / 1e3 }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

interface AutocannonAnswer {
  readonly requests: { readonly average: number }
  readonly latency: { readonly p50: number; readonly p99: number }
  readonly errors: number
  readonly non2xx: number
}

async function byAutocannon({ port, headers, body, seconds, connections }: Load): Promise<LoadFigures> {
  const options = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}=${value}`])
  options.push('-m', 'POST', '-c', String(connections), '-d', String(seconds), '-b', body)
  const url = `http://127.0.0.1:${port}/`
  const text = await output(LOAD_CORE, [process.execPath, AUTOCANNON, '-j', ...options, url])
  const answer = JSON.parse(text.slice(text.indexOf('{'))) as AutocannonAnswer
  const failed = answer.errors + answer.non2xx
  if (failed > 0) throw new Error(`port ${port}: ${failed} requests failed`)
  return {
    requestsPerSecond: answer.requests.average,
    p50Ms: answer.latency.p50,
    p99Ms: answer.latency.p99,
  }
}
