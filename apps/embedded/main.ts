// `npm start`: the whole suite in one process.
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { CONFIG_EXIT_CODE, ConfigError } from '#shared/runtime/config.ts'
import { readEnvironment } from '#shared/runtime/env-file.ts'
import { createLog } from '#shared/runtime/log.ts'
import { DiskFullError } from './disk-room.ts'
import { logFileIn, openLogFile } from './log-file.ts'
import { type Options, OptionsError, USAGE, parseOptions } from './options.ts'
import { FINISHED, removeData } from './places.ts'
import { claimDirectory } from './run-file.ts'
import { runSuite } from './run.ts'
import { readSettings } from './settings.ts'

/** As shells say it: ended by a second Ctrl-C. */
const FORCED_EXIT_CODE = 130
/** Where nobody's terminal cuts lines. */
const WIDE = 1_000

const options = readOptions()
const environment = readEnvironment(process.env)
const settings = readOrExit()
const directory = resolve(options.data ?? dataDirectoryOf(options, settings.embedded.JTS_DATA_DIRECTORY))
await checkReplay()
await take()

const logPath = logFileIn(directory)
const logFile = openLogFile(logPath, (words) => void process.stderr.write(`${words}\n`))
const log = createLog('jts', settings.embedded.LOG_LEVEL, logFile.stream)
const stop = new AbortController()
const out = process.stdout
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) exit(FORCED_EXIT_CODE, 'stopped at once')
    out.write('\nstopping: finishing what is under way (again to stop at once)\n')
    stop.abort()
  })
}
// Whoever read the output has gone, as a terminal that was closed: nobody watches any more.
out.on('error', () => stop.abort())

try {
  out.write(`JTS  data ${directory}  log ${logPath}\n`)
  const screen = {
    isTerminal: out.isTTY,
    columns: () => (out.isTTY ? out.columns : WIDE),
    write: (text: string) => void out.write(text),
  }
  const summary = await runSuite({ options, settings, directory, log, screen }, stop.signal)
  if (options.replay !== undefined && !stop.signal.aborted) await writeFile(join(directory, FINISHED), '')
  out.write(
    `${JSON.stringify({ ...summary, positions: summary.positions.length, brokerPositions: undefined })}\n`,
  )
  logFile.end()
} catch (error) {
  log.fatal({ error }, 'ended by a fault')
  logFile.end()
  // A Ctrl-C reaches PostgreSQL's programs too: what they say of it while they start is no fault.
  if (stop.signal.aborted && !(error instanceof DiskFullError))
    exit(FORCED_EXIT_CODE, `stopped (see ${logPath})`)
  exit(1, error instanceof Error ? error.message : String(error))
}

/** Before anything is started for it. */
async function checkReplay(): Promise<void> {
  if (options.replay === undefined) return
  await stat(options.replay).catch((error: unknown) =>
    exit(
      CONFIG_EXIT_CODE,
      `--replay ${options.replay}: ${error instanceof Error ? error.message : String(error)}`,
    ),
  )
}

/** Makes the data directory ours. A finished replay starts anew. */
async function take(): Promise<void> {
  try {
    await mkdir(directory, { recursive: true })
    const running = await claimDirectory(directory)
    if (running === undefined) {
      if (options.replay !== undefined && (await isFinished())) await removeData(directory)
      return
    }
    const who = `process ${running.pid}${running.url === undefined ? ', starting or stopping' : ''}`
    exit(1, `JTS runs on ${directory} already (${who}): stop it, or give another directory with --data`)
  } catch (error) {
    exit(1, `the data directory cannot be used: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** A replay keeps its state apart from everything else, and from other replays. */
function dataDirectoryOf({ replay }: Options, byDefault: string): string {
  return replay === undefined ? byDefault : join(byDefault, 'replay', basename(replay))
}

async function isFinished(): Promise<boolean> {
  return (await readFile(join(directory, FINISHED)).catch(() => undefined)) !== undefined
}

function readOptions(): Options {
  try {
    const parsed = parseOptions(process.argv.slice(2))
    if (parsed.isHelp) exit(0, USAGE)
    return parsed
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error
    return exit(CONFIG_EXIT_CODE, `${error.message}\n\n${USAGE}`)
  }
}

function readOrExit() {
  try {
    return readSettings(environment, options.replay !== undefined)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return exit(CONFIG_EXIT_CODE, error.message)
  }
}

function exit(code: number, message: string): never {
  ;(code === 0 ? process.stdout : process.stderr).write(`${message}\n`)
  process.exit(code)
}
