// A certificate authority for one test, with what it signs: right, expired, and of nobody.
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Certificates {
  /** PEM. */
  readonly ca: string
  /** Paths of files with key and certificates, as Kafka reads them. */
  readonly valid: string
  readonly expired: string
  readonly truststore: string
  /** Of a client, PEM. */
  readonly client: { readonly cert: string; readonly key: string }
}

export async function makeCertificates(directory: string): Promise<Certificates> {
  const at = (name: string): string => join(directory, name)
  const openssl = (...words: readonly string[]): Promise<unknown> => run('openssl', words, { cwd: directory })
  const newKey = ['-newkey', 'rsa:2048', '-nodes'] as const
  await openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    '/CN=JTS test CA',
  )
  await writeFile(at('server.ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')

  const sign = async (name: string, ...validity: readonly string[]): Promise<string> => {
    await openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'server.ext'] as const
    await openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.crt`, ...validity)
    const parts = await Promise.all(
      [`${name}.key`, `${name}.crt`, 'ca.pem'].map((file) => readFile(at(file), 'utf8')),
    )
    await writeFile(at(`${name}.pem`), parts.join(''))
    return at(`${name}.pem`)
  }

  const valid = await sign('valid', '-days', '2')
  const expired = await sign('expired', '-days', '-1')
  await sign('client', '-days', '2')
  return {
    ca: await readFile(at('ca.pem'), 'utf8'),
    valid,
    expired,
    truststore: at('ca.pem'),
    client: {
      cert: await readFile(at('client.crt'), 'utf8'),
      key: await readFile(at('client.key'), 'utf8'),
    },
  }
}
