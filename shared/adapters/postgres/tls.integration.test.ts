// Over TLS, against a real server with certificates made by openssl.
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemRandomBytes } from '../system/ids.ts'
import { systemStopwatch } from '../system/stopwatch.ts'
import { PostgresConfig, postgresOptionsFrom } from './config.ts'
import { openPostgres } from './database.ts'
import { type EmbeddedPostgres, embeddedPostgres } from './embedded.ts'

const log = { info: () => undefined, error: () => undefined }
const home = mkdtempSync(join(tmpdir(), 'jts-postgres-tls-'))
/** Too long for the path of a unix socket: such a server listens on a port, where TLS can be. */
const directory = join(home, 'long'.repeat(25))
let server: EmbeddedPostgres

const openssl = (...words: readonly string[]): void =>
  void execFileSync('openssl', words, { cwd: home, stdio: 'ignore' })

/** Makes `name.key` and `name.crt`, signed by our authority. */
function sign(name: string, address: string, days: string): void {
  writeFileSync(join(home, 'names'), `subjectAltName=${address}\n`)
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-out', 'csr', '-subj', '/CN=x')
  const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names']
  openssl('x509', '-req', '-in', 'csr', ...by, '-out', `${name}.crt`, '-days', days)
}

/** The server with this certificate. It refuses a key that others could read. */
async function serve(name: string): Promise<void> {
  await server?.stop()
  const settings = {
    ssl: 'on',
    ssl_cert_file: join(home, `${name}.crt`),
    ssl_key_file: join(home, `${name}.key`),
  }
  const options = { directory, log, stopwatch: systemStopwatch, randomBytes: systemRandomBytes }
  server = await embeddedPostgres({ ...options, settings })
}

const authority = (): string => readFileSync(join(home, 'ca.crt'), 'utf8')
const optionsWith = (url: string, ca?: string) =>
  postgresOptionsFrom(
    PostgresConfig.parse({ JTS_POSTGRES_URL: url, ...(ca === undefined ? {} : { JTS_POSTGRES_CA: ca }) }),
    'test',
  )

beforeAll(async () => {
  chmodSync(home, 0o755)
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-subj',
    '/CN=CA',
  )
  sign('right', 'IP:127.0.0.1', '2')
  sign('expired', 'IP:127.0.0.1', '-1')
  sign('other', 'DNS:db.example', '2')
  const options = { directory, log, stopwatch: systemStopwatch, randomBytes: systemRandomBytes }
  server = await embeddedPostgres(options)
  const { uid, gid } = statSync(join(directory, 'data'))
  for (const name of ['right', 'expired', 'other']) {
    chmodSync(join(home, `${name}.key`), 0o600)
    chownSync(join(home, `${name}.key`), uid, gid)
  }
}, 120_000)
afterAll(async () => {
  await server.stop()
  rmSync(home, { recursive: true })
})

test('with the authority connections are over TLS, whatever the URL says of it', async () => {
  await serve('right')
  for (const words of ['', '?sslmode=disable']) {
    const database = await openPostgres(optionsWith(server.url + words, authority()))
    const [row] = await database.run<{ ssl: boolean }>(
      { name: 'is this TLS', text: 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()' },
      [],
    )
    expect(row).toEqual({ ssl: true })
    await database.close()
  }
}, 60_000)

test('what is not signed by whom we trust is not talked to', async () => {
  const { url } = server
  const opening = openPostgres(optionsWith(`${url}?sslmode=verify-full`))
  await expect(opening).rejects.toThrow(/not trusted: .*signed by nobody we trust \(JTS_POSTGRES_CA\)/)
}, 60_000)

test.each([
  ['expired', /not trusted: its certificate has expired/],
  ['other', /not trusted: its certificate is for another name/],
])(
  'a server whose certificate is %s is not talked to',
  async (name, words) => {
    await serve(name)
    await expect(openPostgres(optionsWith(server.url, authority()))).rejects.toThrow(words)
  },
  60_000,
)
