// The websocket door: `ws` sockets to sessions of the desk. Plain ws:// like KIS, any path, text frames only.
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import type { Instant } from '#shared/domain/time.ts'
import { kisDateOf, kisTime } from '../rest/reply.ts'
import type { StreamDesk, StreamSession } from './desk.ts'

const FRAME_BYTES_MAX = 65_536
/** A client that reads slower than this many unsent bytes holds up a tape that runs as fast as it can. */
const BACKLOG_BYTES_MAX = 1_048_576
const UNANSWERED_PINGS_MAX = 3

export interface StreamServerOptions {
  readonly host: string
  readonly port: number
  readonly desk: StreamDesk
  readonly wallNow: () => Instant
}

export interface StreamServer {
  readonly port: number
  /** Ends every session without a close frame; says how many. */
  dropSockets(): number
  /** Sends PINGPONG to everybody and drops those that did not answer the last three. */
  ping(): void
  /** A client is behind. */
  isBacklogged(): boolean
  stop(): Promise<void>
}

const textOf = (data: RawData): string =>
  (Array.isArray(data)
    ? Buffer.concat(data)
    : data instanceof ArrayBuffer
      ? Buffer.from(data)
      : data
  ).toString('utf8')

export async function streamServer(options: StreamServerOptions): Promise<StreamServer> {
  const { desk } = options
  const server = new WebSocketServer({
    host: options.host,
    port: options.port,
    maxPayload: FRAME_BYTES_MAX,
    perMessageDeflate: false,
    clientTracking: true,
  })
  const unanswered = new Map<WebSocket, number>()
  server.on('connection', (socket) => {
    const session: StreamSession = desk.open({
      send: (text) => {
        if (socket.readyState !== socket.OPEN) return false
        socket.send(text)
        return true
      },
      destroy: () => socket.terminate(),
    })
    unanswered.set(socket, 0)
    socket.on('message', (data, isBinary) => {
      unanswered.set(socket, 0)
      if (!isBinary) desk.receive(session, textOf(data))
    })
    // Official samples answer PINGPONG as the payload of a pong.
    socket.on('pong', () => unanswered.set(socket, 0))
    socket.on('error', () => socket.terminate())
    socket.on('close', () => {
      unanswered.delete(socket)
      desk.close(session)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve).once('error', reject)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    dropSockets() {
      const { size } = server.clients
      for (const socket of server.clients) socket.terminate()
      return size
    },
    ping() {
      const now = options.wallNow()
      const text = JSON.stringify({ header: { tr_id: 'PINGPONG', datetime: kisDateOf(now) + kisTime(now) } })
      for (const [socket, count] of unanswered) {
        if (count >= UNANSWERED_PINGS_MAX) socket.terminate()
        else if (socket.readyState === socket.OPEN) {
          unanswered.set(socket, count + 1)
          socket.send(text)
        }
      }
    },
    isBacklogged: () => [...server.clients].some((socket) => socket.bufferedAmount > BACKLOG_BYTES_MAX),
    stop: () =>
      new Promise((resolve) => {
        for (const socket of server.clients) socket.terminate()
        server.close(() => resolve())
      }),
  }
}
