// The programs of Apache Kafka, from the repository where its project publishes them.
//
// J1. kafka-jars.json names every file with its SHA-256. What does not match is never run, wherever it came from.
// J2. A file appears in the cache complete and checked: it is written beside its place and moved there.
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { systemStopwatch } from '#shared/adapters/system/stopwatch.ts'
import list from './kafka-jars.json' with { type: 'json' }

export const KAFKA_VERSION = list.version
const REPOSITORY = 'https://repo.maven.apache.org/maven2'
const PARALLEL = 6
const TRIES = 3
const REQUEST_MS = 120_000

export class UnavailableError extends Error {
  override name = 'UnavailableError'
}

/** Where a user's programs keep what they can fetch again. */
function cacheDirectory(environment: NodeJS.ProcessEnv): string {
  const given = environment['XDG_CACHE_HOME'] ?? ''
  if (given !== '') return given
  if (process.platform === 'win32') return environment['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local')
  return process.platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache')
}

/**
 * Paths of all files, fetched where they are not in the cache. `JTS_MAVEN_REPOSITORY` names another repository.
 * @throws UnavailableError when one cannot be fetched, or is not what it should be.
 */
export async function kafkaJars(
  environment: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<readonly string[]> {
  const directory = join(cacheDirectory(environment), 'jts', `kafka-${list.version}`)
  const repository = (environment['JTS_MAVEN_REPOSITORY'] ?? REPOSITORY).replace(/\/$/, '')
  await mkdir(directory, { recursive: true })
  const jars = Object.entries(list.jars).map(([path, sha256]) => ({
    url: `${repository}/${path}`,
    file: join(directory, basename(path)),
    sha256,
  }))
  const missing: Jar[] = []
  for (const jar of jars) if ((await sha256Of(jar.file)) !== jar.sha256) missing.push(jar)
  if (missing.length > 0) say(`Fetching Kafka ${list.version} into ${directory} (once, about 45 MB)…`)
  const workers = Array.from({ length: PARALLEL }, async () => {
    for (let jar = missing.shift(); jar !== undefined; jar = missing.shift()) await fetchJar(jar)
  })
  await Promise.all(workers)
  return jars.map(({ file }) => file)
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

async function sha256Of(file: string): Promise<string | undefined> {
  const exists = await stat(file).catch(() => undefined)
  return exists === undefined ? undefined : sha256(await readFile(file))
}

interface Jar {
  readonly url: string
  readonly file: string
  readonly sha256: string
}

async function fetchJar(jar: Jar): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const bytes = await download(jar.url)
      if (sha256(bytes) !== jar.sha256) throw new UnavailableError(`${jar.url} is not the file it should be`)
      const unfinished = `${jar.file}.${process.pid}`
      await writeFile(unfinished, bytes)
      await rename(unfinished, jar.file)
      return
    } catch (error) {
      if (error instanceof UnavailableError || attempt === TRIES) throw unavailable(jar, error)
      await systemStopwatch.sleep(attempt * 500, new AbortController().signal)
    }
  }
}

async function download(url: string): Promise<Uint8Array> {
  const response = await fetch(url, { signal: AbortSignal.timeout(REQUEST_MS) })
  if (!response.ok) throw new Error(`the repository answers ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

function unavailable({ url }: Jar, error: unknown): UnavailableError {
  if (error instanceof UnavailableError) return error
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const said = cause instanceof Error ? cause.message : String(cause)
  return new UnavailableError(
    `${url} could not be fetched (${said}); JTS_MAVEN_REPOSITORY can name another one`,
    {
      cause: error,
    },
  )
}
