// For tests: a Redis server of one's own, to be stopped, killed, frozen and started again.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from '../../../scripts/services/server-process.ts'

export interface TestRedis {
  readonly port: number
  readonly url: string
  /** PEM of who signed its certificate; only with TLS. */
  readonly ca: string | undefined
  start(): Promise<void>
  /** Like a power cut: nothing is said, nothing kept. */
  kill(): Promise<void>
  /** It keeps its sockets and answers nobody. */
  freeze(): void
  thaw(): void
  /** Runs redis-cli on it. */
  cli(...args: readonly string[]): string
  close(): Promise<void>
}

export interface TestRedisOptions {
  readonly tls?: 'valid' | 'expired'
  /** More of its command line: `['--requirepass', 'x']`. */
  readonly args?: readonly string[]
}

/** A server on a free port, running. */
export async function testRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'jts-test-redis-'))
  const port = await freePort()
  const certificate = options.tls === undefined ? undefined : makeCertificate(directory, options.tls)
  const tlsArgs =
    certificate === undefined
      ? words(`--port ${port}`)
      : [
          ...words(`--port 0 --tls-port ${port} --tls-auth-clients no`),
          ...words(`--tls-cert-file ${certificate.path} --tls-key-file ${certificate.keyPath}`),
        ]
  const args = [
    ...tlsArgs,
    ...words(`--bind 127.0.0.1 --appendonly no --dir ${directory} --save`),
    '',
    ...(options.args ?? []),
  ]
  let child: ChildProcess | undefined

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined) return
    const ended = once(child, 'exit')
    child.kill('SIGCONT')
    child.kill(signal)
    await ended
    child = undefined
  }
  const server: TestRedis = {
    port,
    url: `${certificate === undefined ? 'redis' : 'rediss'}://127.0.0.1:${port}`,
    ca: certificate?.text,
    start: async () => {
      child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
      await accepting(child)
    },
    kill: () => end('SIGKILL'),
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    cli: (...command) =>
      execFileSync('redis-cli', ['-h', '127.0.0.1', '-p', String(port), ...command], { encoding: 'utf8' }),
    async close() {
      await end('SIGKILL')
      await rm(directory, { recursive: true, force: true })
    },
  }
  await server.start()
  return server
}

async function accepting(child: ChildProcess): Promise<void> {
  child.on('error', (error) => {
    throw new Error('these tests need redis-server on the PATH', { cause: error })
  })
  if (child.stdout === null) throw new Error('no output')
  let said = ''
  for await (const line of createInterface(child.stdout)) {
    said += `${line}\n`
    if (line.includes('Ready to accept connections')) {
      child.stdout.resume() // its log must not fill the pipe
      return
    }
  }
  throw new Error(`redis-server ended at its start:\n${said}`)
}

const words = (text: string): string[] => text.split(' ')

/** Self-signed for 127.0.0.1. */
function makeCertificate(directory: string, kind: 'valid' | 'expired') {
  const file = (name: string): string => join(directory, name)
  const openssl = (command: string): string =>
    execFileSync('openssl', words(command), {
      cwd: directory,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem'
  const subject = '-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1'
  openssl(`req -new ${key} -out request.pem ${subject}`)
  const days = kind === 'valid' ? 2 : -1
  openssl(
    `x509 -req -in request.pem -signkey key.pem -copy_extensions copy -days ${days} -out certificate.pem`,
  )
  return {
    path: file('certificate.pem'),
    keyPath: file('key.pem'),
    text: openssl('x509 -in certificate.pem'),
  }
}
