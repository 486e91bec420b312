// E-mail over SMTP: one connection a message, since alerts are few and an idle connection is closed by the server anyway.
import { createHash } from 'node:crypto'
import { createTransport } from 'nodemailer'
import { PoisonError, RetryableError } from '#shared/ports/errors.ts'
import type { Message, Notifier } from '#shared/ports/notifier.ts'

/**
 * `implicit`: TLS from the first byte. `starttls`: upgrade, or do not send. `offered`: upgrade where the server offers
 * it. `none`: never.
 */
export const SMTP_TLS = ['implicit', 'starttls', 'offered', 'none'] as const
export type SmtpTls = (typeof SMTP_TLS)[number]

export interface SmtpOptions {
  readonly host: string
  readonly port: number
  readonly tls: SmtpTls
  /** Only with `implicit` or `starttls`: a password does not travel in the clear. */
  readonly login?: { readonly user: string; readonly password: string }
  readonly from: string
  /** Addresses of each recipient name; who has none is written to at `addresses`. */
  readonly addresses: readonly string[]
  readonly addressesOf: Readonly<Record<string, readonly string[]>>
  readonly deadlineMs: number
  /** PEM of the authority that signed the server's certificate, where it is not a public one. */
  readonly certificateAuthority?: string
  /** Told when a server took a message for some addresses and refused others: the message counts as delivered. */
  readonly onAddressesRefused?: (addresses: readonly string[]) => void
}

/** What nodemailer attaches to its errors. */
interface SmtpFault {
  readonly code?: string
  readonly responseCode?: number
  readonly permanent?: boolean
}

/** What the server said for good, or what no repetition changes. */
const FINAL_CODES: readonly (string | undefined)[] = ['EAUTH', 'ENOAUTH', 'ECONFIG']

/** @throws PoisonError for settings that would send a password in the clear or a message to nobody. */
export function smtpNotifier(options: SmtpOptions): Notifier {
  if (options.login !== undefined && options.tls !== 'implicit' && options.tls !== 'starttls') {
    throw new PoisonError(`email: a login needs TLS implicit or starttls, not ${options.tls}`)
  }
  if (options.addresses.length === 0) throw new PoisonError('email: no address to write to')
  const transport = createTransport(transportOptions(options))
  const closing = new AbortController()
  return {
    channel: 'email',
    async deliver(message, signal) {
      if (closing.signal.aborted) throw new RetryableError('email: closed')
      const deadline = AbortSignal.timeout(options.deadlineMs)
      try {
        const sent = await transport.sendMail({
          ...mailOf(message, options),
          signal: AbortSignal.any([signal, closing.signal, deadline]),
        })
        if (sent.rejected.length > 0) options.onAddressesRefused?.(sent.rejected)
      } catch (error) {
        if (signal.aborted) throw new RetryableError('email: given up on request', { cause: signal.reason })
        if (deadline.aborted) throw new RetryableError(`email: no answer within ${options.deadlineMs} ms`)
        throw faultOf(error)
      }
    },
    close() {
      closing.abort()
      transport.close()
      return Promise.resolve()
    },
  }
}

function transportOptions(options: SmtpOptions) {
  const { host, port, tls, login, deadlineMs, certificateAuthority } = options
  return {
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    // `offered` is what MailHog and the like need; their certificates prove nothing, so none is asked for.
    tls: {
      ...(tls === 'offered' ? { rejectUnauthorized: false } : {}),
      ...(certificateAuthority === undefined ? {} : { ca: certificateAuthority }),
    },
    ...(login === undefined ? {} : { auth: { user: login.user, pass: login.password }, forceAuth: true }),
    connectionTimeout: deadlineMs,
    greetingTimeout: deadlineMs,
    socketTimeout: deadlineMs,
    dnsTimeout: deadlineMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

function mailOf(message: Message, options: SmtpOptions) {
  const { severity, title, body, messageId, recipient } = message
  const named = Object.hasOwn(options.addressesOf, recipient) ? options.addressesOf[recipient] : undefined
  return {
    from: options.from,
    to: [...(named ?? options.addresses)],
    subject: `[JTS ${severity}] ${title}`,
    text: `${body}\n\n-- \n${messageId}\n`,
    // The same for the same message, so that mail programs can fold a repeat.
    messageId: `<${createHash('sha256').update(messageId).digest('hex')}@jts.invalid>`,
    headers: {
      'auto-submitted': 'auto-generated',
      'x-jts-severity': severity,
      ...(severity === 'critical' ? { 'x-priority': '1', importance: 'high' } : {}),
    },
  }
}

/** 4xx passes, 5xx stays (RFC 5321, 4.2.1), and so does a refused login. */
function faultOf(error: unknown): PoisonError | RetryableError {
  const { code, responseCode, permanent } = (error ?? {}) as SmtpFault
  const reason = `email: ${responseCode ?? code ?? 'connection failed'}`
  const isFinal = permanent === true || (permanent !== false && FINAL_CODES.includes(code))
  return isFinal ? new PoisonError(reason, { cause: error }) : new RetryableError(reason, { cause: error })
}
