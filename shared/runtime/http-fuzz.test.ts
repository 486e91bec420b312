// Malformed events over real sockets: every answer is 2xx or 4xx, and there is always an answer.
// JTS_FUZZ_RUNS sets how many (default 20,000), JTS_FUZZ_SEED which. The seed of a failure is printed.
import { type Socket, connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { output } from '#shared/events/contract.ts'
import { OrderDenied } from '#shared/events/orders.ts'
import { generateRequest } from './http-fuzz.fixture.ts'
import { type TestServer, openServer } from './server.fixture.ts'

const RUNS = Number(process.env['JTS_FUZZ_RUNS'] ?? 20_000)
const SEED = Number(process.env['JTS_FUZZ_SEED'] ?? 20_261_123)
const CONNECTIONS = 8
const ANSWER_MS_MAX = 5_000

let server: TestServer
beforeAll(async () => {
  server = await openServer(async (event) => [
    output(OrderDenied, {
      accountId: event.data.accountId,
      clientOrderId: event.data.clientOrderId,
      code: 'TRADING_HALTED',
      detail: '',
    }),
  ])
  server.server.requestTimeout = 1_000
  server.server.headersTimeout = 1_000
})
afterAll(async () => server.close())

/** Sends one request and reads one answer; a connection that the server ends is replaced by the next request. */
class Client {
  #socket: Socket | undefined

  async send(request: Buffer): Promise<number> {
    this.#socket ??= connect({ port: server.port, host: '127.0.0.1', noDelay: true })
    const socket = this.#socket
    socket.write(request)
    const answer = await readAnswer(socket)
    if (answer.isLast || socket.destroyed || socket.readableEnded) this.close()
    return answer.status
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }
}

interface Answered {
  /** 0: the connection ended without an answer. */
  readonly status: number
  readonly isLast: boolean
}

function readAnswer(socket: Socket): Promise<Answered> {
  return new Promise((resolve, reject) => {
    let text = ''
    const timer = setTimeout(() => end(() => reject(new Error('no answer'))), ANSWER_MS_MAX)
    const end = (settle: () => void): void => {
      clearTimeout(timer)
      socket.off('data', onData).off('close', onClose).off('error', onClose)
      settle()
    }
    const onClose = (): void => end(() => resolve({ status: statusOf(text), isLast: true }))
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1')
      const head = text.indexOf('\r\n\r\n')
      if (head === -1) return
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? 0)
      if (text.length < head + 4 + length) return
      const isLast = /\r\nconnection: close/i.test(text.slice(0, head))
      end(() => resolve({ status: statusOf(text), isLast }))
    }
    socket.on('data', onData).on('close', onClose).on('error', onClose)
  })
}

const statusOf = (text: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0)

test(
  `${RUNS} malformed requests cause no 5xx, no hang and no broken connection`,
  async () => {
    const statuses = new Map<number, number>()
    const bad: string[] = []
    let next = 0
    const work = async (): Promise<void> => {
      const client = new Client()
      while (next < RUNS) {
        const run = next
        next += 1
        const { bytes, isFinal } = generateRequest(SEED + run)
        const status = await client.send(bytes).catch((error: Error) => error.message)
        if (isFinal) client.close()
        if (typeof status === 'string' || status < 200 || status > 499)
          bad.push(`seed ${SEED + run}: ${status}`)
        else statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
      client.close()
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, work))
    console.log(
      `fuzz: ${RUNS} requests from seed ${SEED}: ${[...statuses]
        .toSorted(([a], [b]) => a - b)
        .map(([status, count]) => `${status} × ${count}`)
        .join(', ')}`,
    )
    expect(bad).toEqual([])
    expect([...statuses.keys()]).toEqual(expect.arrayContaining([200, 204, 400, 415, 422]))
  },
  60_000 + RUNS * 5,
)

test('the server is well afterwards', async () => {
  const client = new Client()
  expect(await client.send(Buffer.from('GET /health HTTP/1.1\r\nhost: x\r\n\r\n'))).toBe(200)
  client.close()
  server.server.closeAllConnections()
  const count = await new Promise<number>((resolve) => {
    server.server.getConnections((_error, open) => resolve(open))
  })
  expect(count).toBeLessThanOrEqual(CONNECTIONS + 1)
})
