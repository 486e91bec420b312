// A real HTTP receiver for the tests of the notifiers that speak HTTP.
import { once } from 'node:events'
import { type IncomingHttpHeaders, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ReceiverMood } from '#shared/ports/notifier.contract.ts'

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface HttpReceiver {
  readonly url: string
  readonly port: number
  /** What was taken, oldest first. */
  readonly taken: readonly Received[]
  readonly set: (mood: ReceiverMood) => void
  /** Answers every message like this until told otherwise. */
  answer(with_: (response: ServerResponse) => void): void
  readonly reached: () => Promise<void>
  close(): Promise<void>
}

export async function httpReceiver(): Promise<HttpReceiver> {
  const taken: Received[] = []
  let mood: ReceiverMood = 'takes'
  let custom: ((response: ServerResponse) => void) | undefined
  const reached = Promise.withResolvers<void>()
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      reached.resolve()
      if (custom !== undefined) custom(response)
      else if (mood === 'busy') response.writeHead(503).end('busy')
      else if (mood === 'refuses') response.writeHead(403).end('invalid_token')
      else if (mood === 'drops') response.destroy()
      else if (mood === 'takes') {
        taken.push({ path: request.url ?? '', headers: request.headers, body })
        response.writeHead(200).end('ok')
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    taken,
    set: (next) => {
      mood = next
    },
    answer: (next) => {
      custom = next
    },
    reached: () => reached.promise,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => {
        server.close(() => resolve())
      })
    },
  }
}
