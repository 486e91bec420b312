// The engine of ClickHouse behind HTTP, for tests and for `npm run services`: what is sent passes through the client's own
// transport, as it would to a server. No users, no insert queue.
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type ChdbConnection, createChdbConnection } from 'chdb/connection'

/** ClickHouse writes parameters of a URL with the escapes of its tab-separated format. */
const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', b: '\b', f: '\f', '0': '\0' }
const unescape = (text: string): string =>
  text.replace(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? letter)

/** Settings that the engine itself knows; those of a server's insert queue are not among them. */
const isEngineSetting = (name: string): boolean => name.startsWith('output_format_')

async function answer(
  engine: ChdbConnection,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk)
  const { searchParams } = new URL(request.url ?? '', 'http://localhost')
  const body = Buffer.concat(chunks)
  const statement = searchParams.get('query')
  const parameters: Record<string, string> = {}
  const settings: Record<string, string> = {}
  for (const [name, value] of searchParams) {
    if (name.startsWith('param_')) parameters[name.slice('param_'.length)] = unescape(value)
    else if (isEngineSetting(name)) settings[name] = value
  }
  const rows = statement === null ? undefined : await rowsFile(body)
  try {
    const { stream } = await engine.query({
      query: rows === undefined ? body.toString('utf8') : withRowsOf(statement ?? '', rows),
      query_params: parameters,
      clickhouse_settings: settings,
    })
    await pipeline(stream, response)
  } catch (error) {
    const { cause } = error instanceof Error ? error : { cause: undefined }
    response.writeHead(500).end(cause instanceof Error ? cause.message : String(error))
  } finally {
    if (rows !== undefined) await rm(dirname(rows), { recursive: true })
  }
}

/** Rows that come as the body of a request stay bytes: the engine reads them from a file. */
async function rowsFile(body: Uint8Array): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'jts-engine-')), 'rows')
  await writeFile(path, body)
  return path
}

const withRowsOf = (statement: string, path: string): string =>
  statement.replace(/\bFORMAT (\w+)\s*$/, (_, format: string) => `SELECT * FROM file('${path}', '${format}')`)

/** The engine behind a port of this machine. One directory for each process. */
export async function serveEngine(directory: string, port = 0): Promise<{ url: string; server: Server }> {
  const engine = createChdbConnection({ path: directory })
  const server = createServer((request, response) => void answer(engine, request, response))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  server.on('close', () => void engine.close())
  const address = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${address.port}`, server }
}
