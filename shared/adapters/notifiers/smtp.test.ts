import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { afterEach, describe, expect, test } from 'vitest'
import { PoisonError } from '#shared/ports/errors.ts'
import type { Message } from '#shared/ports/notifier.ts'
import { NOTIFIER_DEADLINE_MS, type ReceiverMood, notifierContract } from '#shared/ports/notifier.contract.ts'
import { type SmtpOptions, smtpNotifier } from './smtp.ts'

const never = new AbortController().signal
const message: Message = {
  recipient: 'operators',
  severity: 'critical',
  title: 'Trading halted',
  body: 'account 1',
  messageId: 'm1',
}

interface Mail {
  readonly to: readonly string[]
  readonly raw: string
  readonly isSecure: boolean
  readonly user: unknown
}

interface MailServer {
  readonly port: number
  readonly taken: readonly Mail[]
  readonly set: (mood: ReceiverMood) => void
  /** Refuses this address from now on. */
  refuse(address: string): void
  readonly reached: () => Promise<void>
  close(): Promise<void>
}

const answer = (code: number): Error => Object.assign(new Error('no'), { responseCode: code })

async function mailServer(options: { readonly offersTls?: boolean } = {}): Promise<MailServer> {
  const taken: Mail[] = []
  const sockets = new Set<Socket>()
  const refused = new Set<string>()
  let mood: ReceiverMood = 'takes'
  const reached = Promise.withResolvers<void>()
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    ...(options.offersTls === false ? { hideSTARTTLS: true } : {}),
    onAuth: ({ username, password }, _session, callback) => {
      if (password === 'correct') callback(null, { user: username })
      else callback(answer(535))
    },
    onRcptTo: ({ address }, _session, callback) => callback(refused.has(address) ? answer(550) : null),
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        reached.resolve()
        if (mood === 'busy') callback(answer(451))
        else if (mood === 'refuses') callback(answer(550))
        else if (mood === 'drops') for (const socket of sockets) socket.destroy()
        else if (mood === 'takes') {
          taken.push({
            to: session.envelope.rcptTo.map(({ address }) => address),
            raw: Buffer.concat(chunks).toString('utf8'),
            isSecure: session.secure,
            user: session.user,
          })
          callback(null)
        }
      })
    },
  })
  server.on('error', () => undefined)
  server.server.on('connection', (socket: Socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  return {
    port: (server.server.address() as AddressInfo).port,
    taken,
    set: (next) => {
      mood = next
    },
    refuse: (address) => refused.add(address),
    reached: () => reached.promise,
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => {
        server.close(() => resolve())
      })
    },
  }
}

const encodedWords = (header: string): string =>
  header
    .replaceAll(/\?=\s+=\?/g, '?==?')
    .replaceAll(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_all, kind: string, text: string) =>
      kind.toLowerCase() === 'b'
        ? Buffer.from(text, 'base64').toString('latin1')
        : quotedPrintable(text.replaceAll('_', ' ')),
    )

const quotedPrintable = (text: string): string =>
  text
    .replaceAll(/=\r\n/g, '')
    .replaceAll(/=([0-9A-F]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** Subject and text as a mail program shows them. */
function shown(raw: string): string {
  const split = raw.indexOf('\r\n\r\n')
  const head = raw.slice(0, split).replaceAll(/\r\n[ \t]+/g, ' ')
  const body = raw.slice(split + 4)
  const subject = encodedWords(/^subject: (.*)$/im.exec(head)?.[1] ?? '')
  const encoding = /^content-transfer-encoding: (\S+)/im.exec(head)?.[1]?.toLowerCase()
  const bytes =
    encoding === 'base64'
      ? Buffer.from(body, 'base64').toString('latin1')
      : encoding === 'quoted-printable'
        ? quotedPrintable(body)
        : body
  return Buffer.from(`${subject}\n${bytes}`, 'latin1').toString('utf8').replaceAll('\r\n', '\n')
}

const optionsFor = (server: MailServer, more: Partial<SmtpOptions> = {}): SmtpOptions => ({
  host: '127.0.0.1',
  port: server.port,
  tls: 'offered',
  from: 'jts@example.com',
  addresses: ['desk@example.com'],
  addressesOf: {},
  deadlineMs: NOTIFIER_DEADLINE_MS,
  ...more,
})

const servers: MailServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})
async function opened(options?: { readonly offersTls?: boolean }): Promise<MailServer> {
  const server = await mailServer(options)
  servers.push(server)
  return server
}

notifierContract('smtpNotifier', async () => {
  const server = await mailServer()
  const notifier = smtpNotifier(optionsFor(server))
  return {
    notifier,
    received: () => server.taken.map(({ raw }) => shown(raw)),
    set: server.set,
    reached: server.reached,
    close: async () => {
      await Promise.all([notifier.close(), server.close()])
    },
  }
})

describe('addresses', () => {
  test('each recipient name has its own addresses, everybody else the general ones', async () => {
    const server = await opened()
    const addressesOf = { 'on-call': ['night@example.com', 'desk@example.com'] }
    const notifier = smtpNotifier(optionsFor(server, { addressesOf }))
    for (const recipient of ['operators', 'on-call', 'toString']) {
      await notifier.deliver({ ...message, recipient }, never)
    }
    expect(server.taken.map(({ to }) => to)).toEqual([
      ['desk@example.com'],
      ['night@example.com', 'desk@example.com'],
      ['desk@example.com'],
    ])
  })

  test('an address that the server refuses does not keep the message from the others, and is named', async () => {
    const server = await opened()
    server.refuse('gone@example.com')
    const told: (readonly string[])[] = []
    const notifier = smtpNotifier(
      optionsFor(server, {
        addresses: ['desk@example.com', 'gone@example.com'],
        onAddressesRefused: (addresses) => told.push(addresses),
      }),
    )
    await notifier.deliver(message, never)
    expect(server.taken).toHaveLength(1)
    expect(told).toEqual([['gone@example.com']])
  })

  test('when every address is refused the message has failed for good', async () => {
    const server = await opened()
    server.refuse('desk@example.com')
    await expect(smtpNotifier(optionsFor(server)).deliver(message, never)).rejects.toThrow(PoisonError)
  })
})

describe('headers', () => {
  test('a title with line breaks cannot add a header or a recipient', async () => {
    const server = await opened()
    const title = 'x\r\nBcc: thief@example.com\r\n\r\ninjected'
    await smtpNotifier(optionsFor(server)).deliver({ ...message, title }, never)
    expect(server.taken[0]?.to).toEqual(['desk@example.com'])
    expect(server.taken[0]?.raw.split('\r\n\r\n')[0]).not.toMatch(/^bcc:/im)
  })

  test('the same message has the same Message-ID, so that a mail program can fold a repeat', async () => {
    const server = await opened()
    const notifier = smtpNotifier(optionsFor(server))
    await notifier.deliver(message, never)
    await notifier.deliver(message, never)
    await notifier.deliver({ ...message, messageId: 'm2' }, never)
    const ids = server.taken.map(({ raw }) => /^message-id:\s+(\S+)/im.exec(raw)?.[1])
    expect(ids).toHaveLength(3)
    expect(ids[0]).toMatch(/^<.+@jts\.invalid>$/)
    expect(ids[0]).toBe(ids[1])
    expect(ids[2]).not.toBe(ids[0])
  })
})

describe('a password does not travel in the clear', () => {
  const login = { user: 'jts', password: 'correct' }

  test.each(['offered', 'none'] as const)('with TLS %s a login is refused at start', async (tls) => {
    const server = await opened()
    expect(() => smtpNotifier(optionsFor(server, { tls, login }))).toThrow(/a login needs TLS/)
  })

  test('a server without STARTTLS gets neither password nor message', async () => {
    const server = await opened({ offersTls: false })
    const notifier = smtpNotifier(optionsFor(server, { tls: 'starttls', login }))
    await expect(notifier.deliver(message, never)).rejects.toThrow(/email/)
    expect(server.taken).toHaveLength(0)
  })

  test('a certificate that nobody vouches for ends a starttls connection', async () => {
    const server = await opened()
    const notifier = smtpNotifier(optionsFor(server, { tls: 'starttls', login }))
    await expect(notifier.deliver(message, never)).rejects.toThrow(/email/)
    expect(server.taken).toHaveLength(0)
  })
})

test('where TLS is offered it is used', async () => {
  const server = await opened()
  await smtpNotifier(optionsFor(server)).deliver(message, never)
  expect(server.taken[0]?.isSecure).toBe(true)
})
