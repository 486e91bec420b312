// Settings of notify. A channel is in use when it is switched on and complete; switched on and incomplete is a fault.
import * as z from 'zod'
import { money, ratio } from '#shared/domain/values.ts'
import { type Channel, SEVERITIES, type Severity } from '#shared/events/notifications.ts'
import type { AlertRules } from './decide.ts'

const Text = z.string().max(500).optional()
const Flag = z.stringbool()
const Amount = z.string().regex(/^\d+(\.\d{1,4})?$/, 'must be a decimal amount in account currency')
const Share = z.string().regex(/^(0(\.\d{1,8})?|1(\.0{1,8})?)$/, 'must be a ratio from 0 to 1')
const ADDRESS = /^[^\s@<>,;"]+@[^\s@<>,;"]+$/
const isAddress = (text: string): boolean => ADDRESS.test(text.trim())
const Address = z.string().refine(isAddress, 'must be a mail address').optional()
const Addresses = z
  .string()
  .max(2_000)
  .refine((text) => text.split(',').every(isAddress), 'must be mail addresses with commas between them')
  .optional()
const SMTP_TLS = ['implicit', 'starttls', 'offered', 'none'] as const

export const NotifyConfig = z
  .object({
    EMAIL_ENABLED: Flag.default(false).describe('Send e-mail.'),
    SMTP_HOST: Text.describe('Mail server.'),
    SMTP_PORT: z.coerce.number().int().min(1).max(65_535).default(587).describe('Port of the mail server.'),
    JTS_SMTP_USER: Text.describe('Login at the mail server. Default: none.'),
    JTS_SMTP_PASSWORD: Text.describe('Password of the login.'),
    JTS_SMTP_TLS: z
      .enum(SMTP_TLS)
      .optional()
      .describe(
        'implicit: TLS from the start; starttls: upgrade or do not send; offered: upgrade where offered; none. ' +
          'Default: implicit on port 465, starttls with a login, else offered.',
      ),
    JTS_EMAIL_FROM: Address.describe('Sender of e-mail.'),
    JTS_EMAIL_TO: Addresses.describe('Who gets e-mail, commas between.'),
    JTS_EMAIL_TO_ON_CALL: Addresses.describe('Who gets e-mail of severity error and critical besides.'),
    JTS_EMAIL_SEVERITY_MIN: z.enum(SEVERITIES).default('warning').describe('Lowest severity sent by e-mail.'),
    SLACK_ENABLED: Flag.default(false).describe('Post to Slack.'),
    SLACK_WEBHOOK_URL: Text.meta({ secret: true }).describe('Incoming webhook of Slack. A secret.'),
    SLACK_CHANNEL: Text.describe('Channel to post to. Default: the one the webhook was made for.'),
    JTS_SLACK_SEVERITY_MIN: z.enum(SEVERITIES).default('info').describe('Lowest severity posted to Slack.'),
    JTS_WEBHOOK_URL: Text.meta({ secret: true }).describe(
      'Webhook of your own, http or https. Default: none.',
    ),
    JTS_WEBHOOK_SECRET: Text.describe(
      'Signs what goes to the webhook; at least 16 bytes, or whsec_ and base64.',
    ),
    JTS_WEBHOOK_SEVERITY_MIN: z
      .enum(SEVERITIES)
      .default('info')
      .describe('Lowest severity sent to the webhook.'),
    JTS_WEBHOOK_PRIVATE_ALLOWED: Flag.default(false).describe(
      'Let Slack and webhook URLs lead to private addresses, loopback included.',
    ),
    ENABLE_RISK_ALERTS: Flag.default(true).describe('Tell of breached limits and of the loss threshold.'),
    RISK_ALERT_THRESHOLD: Share.default('0.02').describe(
      'Loss since the session opened that is told, a ratio of equity at the open: 0.02 is two hundredths.',
    ),
    ENABLE_TRADE_ALERTS: Flag.default(true).describe('Tell of fills, denials and rejections.'),
    TRADE_ALERT_MIN_VALUE: Amount.default('0').describe(
      'Smallest filled order that is told, account currency.',
    ),
    JTS_NOTIFY_RATE_PER_MINUTE: z.coerce
      .number()
      .int()
      .min(1)
      .max(1_000)
      .default(20)
      .describe('Messages a minute to one recipient over one channel; critical ones are not limited.'),
    JTS_NOTIFY_DEADLINE_MS: z.coerce
      .number()
      .int()
      .min(100)
      .max(8_000)
      .default(5_000)
      .describe('Longest one attempt to deliver may take, milliseconds.'),
  })
  .superRefine((settings, context) => {
    for (const [name, message] of channelFaults(settings)) {
      context.addIssue({ code: 'custom', path: [name], message })
    }
  })

export type NotifySettings = z.output<typeof NotifyConfig>
type Fault = readonly [name: keyof NotifySettings, message: string]

/** What is missing or dangerous in the channels that are switched on. */
export const channelFaults = (settings: NotifySettings): readonly Fault[] => [
  ...(settings.EMAIL_ENABLED ? emailFaults(settings) : []),
  ...(settings.SLACK_ENABLED ? slackFaults(settings) : []),
  ...(isSet(settings.JTS_WEBHOOK_URL) ? webhookFaults(settings) : []),
]

const isSet = (text: string | undefined): text is string => text !== undefined && text !== ''

const missing = (settings: NotifySettings, names: readonly (keyof NotifySettings)[], by: string): Fault[] =>
  names
    .filter((name) => settings[name] === undefined || settings[name] === '')
    .map((name) => [name, `is required by ${by}`])

function emailFaults(settings: NotifySettings): Fault[] {
  const faults = missing(settings, ['SMTP_HOST', 'JTS_EMAIL_FROM', 'JTS_EMAIL_TO'], 'EMAIL_ENABLED')
  if (!isSet(settings.JTS_SMTP_USER)) return faults
  faults.push(...missing(settings, ['JTS_SMTP_PASSWORD'], 'JTS_SMTP_USER'))
  if (settings.JTS_SMTP_TLS === 'offered' || settings.JTS_SMTP_TLS === 'none') {
    faults.push([
      'JTS_SMTP_TLS',
      'must be implicit or starttls with a login: a password does not travel in the clear',
    ])
  }
  return faults
}

function slackFaults(settings: NotifySettings): Fault[] {
  const faults = missing(settings, ['SLACK_WEBHOOK_URL'], 'SLACK_ENABLED')
  return isSet(settings.SLACK_WEBHOOK_URL)
    ? [...faults, ...urlFaults('SLACK_WEBHOOK_URL', settings.SLACK_WEBHOOK_URL, settings)]
    : faults
}

const SECRET_BYTES_MIN = 16

function webhookFaults(settings: NotifySettings): Fault[] {
  const { JTS_WEBHOOK_URL: url = '', JTS_WEBHOOK_SECRET: secret } = settings
  const faults = [
    ...urlFaults('JTS_WEBHOOK_URL', url, settings),
    ...missing(settings, ['JTS_WEBHOOK_SECRET'], 'JTS_WEBHOOK_URL'),
  ]
  if (!isSet(secret)) return faults
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret)
  return key.length >= SECRET_BYTES_MIN
    ? faults
    : [...faults, ['JTS_WEBHOOK_SECRET', `must have at least ${SECRET_BYTES_MIN} bytes`]]
}

/** Never shows the URL: it may hold a secret. */
function urlFaults(name: keyof NotifySettings, text: string, settings: NotifySettings): Fault[] {
  if (!URL.canParse(text)) return [[name, 'must be a URL']]
  const { protocol } = new URL(text)
  if (protocol === 'https:' || (protocol === 'http:' && name === 'JTS_WEBHOOK_URL')) return []
  if (protocol === 'http:' && settings.JTS_WEBHOOK_PRIVATE_ALLOWED) return []
  return [[name, `must begin with https:, not ${protocol}`]]
}

export function alertRulesFrom(settings: NotifySettings): AlertRules {
  const severityMin: Partial<Record<Channel, Severity>> = {
    ...(settings.EMAIL_ENABLED ? { email: settings.JTS_EMAIL_SEVERITY_MIN } : {}),
    ...(settings.SLACK_ENABLED ? { slack: settings.JTS_SLACK_SEVERITY_MIN } : {}),
    ...(isSet(settings.JTS_WEBHOOK_URL) ? { webhook: settings.JTS_WEBHOOK_SEVERITY_MIN } : {}),
  }
  return {
    riskAlertsEnabled: settings.ENABLE_RISK_ALERTS,
    riskAlertThreshold: ratio(settings.RISK_ALERT_THRESHOLD),
    tradeAlertsEnabled: settings.ENABLE_TRADE_ALERTS,
    tradeAlertNotionalMin: money(settings.TRADE_ALERT_MIN_VALUE),
    severityMin,
  }
}

const addressesIn = (text: string | undefined): readonly string[] =>
  isSet(text) ? text.split(',').map((address) => address.trim()) : []

/** Options of the channels in use, as the notifiers take them. @throws Error naming every setting at fault. */
export function notifierOptionsFrom(settings: NotifySettings) {
  const faults = channelFaults(settings)
  if (faults.length > 0) throw new Error(faults.map(([name, message]) => `${name} ${message}`).join('; '))
  const deadlineMs = settings.JTS_NOTIFY_DEADLINE_MS
  const privateAddressesAllowed = settings.JTS_WEBHOOK_PRIVATE_ALLOWED
  const { SLACK_WEBHOOK_URL = '', SLACK_CHANNEL, JTS_WEBHOOK_URL, JTS_WEBHOOK_SECRET = '' } = settings
  return {
    ...(settings.EMAIL_ENABLED ? { email: emailOptionsFrom(settings) } : {}),
    ...(settings.SLACK_ENABLED
      ? {
          slack: {
            url: SLACK_WEBHOOK_URL,
            ...(isSet(SLACK_CHANNEL) ? { channel: SLACK_CHANNEL } : {}),
            deadlineMs,
            privateAddressesAllowed,
          },
        }
      : {}),
    ...(isSet(JTS_WEBHOOK_URL)
      ? { webhook: { url: JTS_WEBHOOK_URL, secret: JTS_WEBHOOK_SECRET, deadlineMs, privateAddressesAllowed } }
      : {}),
  }
}

function emailOptionsFrom(settings: NotifySettings) {
  const { JTS_SMTP_USER: user, JTS_SMTP_PASSWORD: password = '', SMTP_PORT: port } = settings
  const addresses = addressesIn(settings.JTS_EMAIL_TO)
  const onCall = [...new Set([...addresses, ...addressesIn(settings.JTS_EMAIL_TO_ON_CALL)])]
  const byDefault = port === 465 ? 'implicit' : isSet(user) ? 'starttls' : 'offered'
  return {
    host: settings.SMTP_HOST ?? '',
    port,
    tls: settings.JTS_SMTP_TLS ?? byDefault,
    ...(isSet(user) ? { login: { user, password } } : {}),
    from: settings.JTS_EMAIL_FROM ?? '',
    addresses,
    addressesOf: { 'on-call': onCall },
    deadlineMs: settings.JTS_NOTIFY_DEADLINE_MS,
  } as const
}
