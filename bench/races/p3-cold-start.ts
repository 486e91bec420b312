// P3: from spawning a bundled function to its first answer.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import { bundleProgram } from '../../scripts/build/bundle.ts'
import { type RaceResult, type Round, figureOf, interleave, report } from '../harness.ts'
import { EVENT_HEADERS, ORDER_BODY } from '../order-event.ts'
import {
  type ServerCommand,
  answering,
  cpuSecondsOf,
  freePort,
  pinningNote,
  startProgram,
  stopProgram,
} from '../processes.ts'

const ROUNDS = 11

const BARE = 'bare node:http'
const OURS = 'ours, bundled'
const CACHED = 'ours, bundled, compile cache'
const FAAS = 'faas-js-runtime'
const GOOGLE = 'functions-framework'

/** Milliseconds until the port opens, and until the first event is answered. */
async function firstAnswer(command: ServerCommand): Promise<Round> {
  const port = await freePort()
  const startMs = systemStopwatch.elapsedMs()
  const child = startProgram(command, port)
  try {
    await answering(port)
    const listenMs = systemStopwatch.elapsedMs() - startMs
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      headers: EVENT_HEADERS,
      body: ORDER_BODY,
    })
    await response.arrayBuffer()
    if (!response.ok) throw new Error(`${command.file} answered ${response.status}`)
    const firstAnswerMs = systemStopwatch.elapsedMs() - startMs
    return { listenMs, firstAnswerMs, cpuMs: (cpuSecondsOf(child.pid ?? 0) ?? 0) * 1_000 }
  } finally {
    // A compile cache is written by a process that ends by itself.
    await stopProgram(child, 'NODE_COMPILE_CACHE' in (command.environment ?? {}) ? 'SIGTERM' : 'SIGKILL')
  }
}

async function run(): Promise<RaceResult> {
  const directory = mkdtempSync(join(tmpdir(), 'jts-bench-'))
  try {
    // As the images are made.
    const root = resolve(import.meta.dirname, '../..')
    const { file } = await bundleProgram(root, 'bench/servers/ours.ts', join(directory, 'function'))
    const commands: Readonly<Record<string, ServerCommand>> = {
      [BARE]: { file: 'bench/servers/bare.ts' },
      [OURS]: { file },
      [CACHED]: {
        file,
        environment: { NODE_COMPILE_CACHE: join(directory, 'cache'), JTS_DRAIN_GRACE_MS: '0' },
      },
      [FAAS]: { file: 'bench/peers/faas-js-runtime.mjs' },
      [GOOGLE]: { file: 'bench/peers/functions-framework.mjs', environment: { SIGNATURE: 'http' } },
    }
    const contestants = Object.entries(commands).map(([name, command]) => ({
      name,
      measure: () => firstAnswer(command),
    }))
    const standings = await interleave(contestants, { rounds: ROUNDS, warmUps: 2 })
    const first = (name: string): number => figureOf(standings, name, 'firstAnswerMs')
    return {
      title: `spawn to first answer, ${ROUNDS} rounds`,
      standings,
      targets: [
        { what: 'first answer, ours ÷ faas-js-runtime', value: first(OURS) / first(FAAS), atMost: 0.5 },
        { what: 'first answer of ours, ms', value: first(OURS), atMost: 100 },
        {
          what: 'with a compile cache, ours ÷ faas-js-runtime',
          value: first(CACHED) / first(FAAS),
          atMost: 0.5,
        },
      ],
      notes: [
        pinningNote,
        `on-core time to the first answer, ours ÷ faas-js-runtime ${(figureOf(standings, OURS, 'cpuMs') / figureOf(standings, FAAS, 'cpuMs')).toFixed(2)}`,
        'the peers run from their installed packages, as their images do',
      ],
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

report(import.meta.filename, await run())
