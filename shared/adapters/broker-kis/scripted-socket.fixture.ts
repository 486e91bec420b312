// The websocket half of the scripted KIS: acknowledges, encrypts, sends and misbehaves as a test tells it to.
import { createCipheriv } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

export interface Command {
  readonly approval: string
  readonly kind: 'add' | 'remove'
  readonly channel: string
  readonly key: string
}

export interface ScriptedSocket {
  readonly url: string
  readonly commands: Command[]
  readonly pongs: string[]
  /** Replaces the answer to a command; undefined stays silent. Default: success with a fresh key. */
  answer: (command: Command) => string | undefined
  /** Resolves with the socket of connection number `index`, 0 first. */
  connection(index: number): Promise<WebSocket>
  /** A data frame with this plaintext, encrypted with the newest key of the channel. */
  encrypted(channel: string, plain: string): string
  close(): Promise<void>
}

export const acknowledged = (
  { channel, key }: Pick<Command, 'channel' | 'key'>,
  code = 'OPSP0000',
  aes?: { readonly key: string; readonly iv: string },
  resultCode = '0',
): string =>
  JSON.stringify({
    header: { tr_id: channel, tr_key: key, encrypt: 'N' },
    body: {
      rt_cd: resultCode,
      msg_cd: code,
      msg1: 'SUBSCRIBE',
      ...(aes === undefined ? {} : { output: aes }),
    },
  })

export async function scriptedSocket(): Promise<ScriptedSocket> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await new Promise<void>((resolve) => server.once('listening', resolve))
  const sockets: WebSocket[] = []
  const keys = new Map<string, { readonly key: string; readonly iv: string }>()
  let made = 0
  const scripted: ScriptedSocket = {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    commands: [],
    pongs: [],
    answer: (command) => acknowledged(command, 'OPSP0000', freshKey(command.channel)),
    async connection(index) {
      for (;;) {
        const socket = sockets[index]
        if (socket !== undefined) return socket
        await new Promise((resolve) => server.once('connection', resolve))
      }
    },
    encrypted(channel, plain) {
      const { key, iv } = keys.get(channel) ?? freshKey(channel)
      const cipher = createCipheriv('aes-256-cbc', key, iv)
      const payload = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]).toString('base64')
      return `1|${channel}|001|${payload}`
    },
    close: () => {
      for (const socket of sockets) socket.terminate()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  const freshKey = (channel: string): { readonly key: string; readonly iv: string } => {
    made += 1
    const aes = { key: String(made).padStart(32, 'k'), iv: String(made).padStart(16, 'i') }
    keys.set(channel, aes)
    return aes
  }
  server.on('connection', (socket) => {
    sockets.push(socket)
    socket.on('pong', (data) => scripted.pongs.push(data.toString()))
    socket.on('message', (data: Buffer) => {
      const { header, body } = JSON.parse(data.toString()) as {
        readonly header: { readonly approval_key: string; readonly tr_type: string }
        readonly body: { readonly input: { readonly tr_id: string; readonly tr_key: string } }
      }
      const command: Command = {
        approval: header.approval_key,
        kind: header.tr_type === '1' ? 'add' : 'remove',
        channel: body.input.tr_id,
        key: body.input.tr_key,
      }
      scripted.commands.push(command)
      const answer = scripted.answer(command)
      if (answer !== undefined) socket.send(answer)
    })
  })
  return scripted
}
