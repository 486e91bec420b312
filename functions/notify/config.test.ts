import { describe, expect, test } from 'vitest'
import { ratio } from '#shared/domain/values.ts'
import { ConfigError, loadConfig } from '#shared/runtime/config.ts'
import { NotifyConfig, alertRulesFrom, notifierOptionsFrom } from './config.ts'

const SECRET = '0123456789abcdef'
const EMAIL = {
  EMAIL_ENABLED: 'true',
  SMTP_HOST: 'mailhog',
  SMTP_PORT: '1025',
  JTS_EMAIL_FROM: 'jts@example.com',
  JTS_EMAIL_TO: 'desk@example.com, risk@example.com',
}
const SLACK = { SLACK_ENABLED: 'true', SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T/B/verysecret' }
const WEBHOOK = { JTS_WEBHOOK_URL: 'https://example.com/hook', JTS_WEBHOOK_SECRET: SECRET }

const load = (environment: Record<string, string>) =>
  loadConfig(NotifyConfig, environment, { secretDirectories: [] })

/** Names of the settings at fault. */
function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    load(environment)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.faults.map((fault) => fault.slice(0, fault.indexOf(':')))
  }
}

describe('a channel that is switched on without its address is a fault', () => {
  test.each([
    // name                                    environment                                              at fault
    ['nothing set', {}, []],
    ['e-mail complete', EMAIL, []],
    ['e-mail alone', { EMAIL_ENABLED: 'true' }, ['SMTP_HOST', 'JTS_EMAIL_FROM', 'JTS_EMAIL_TO']],
    ['e-mail to nobody', { ...EMAIL, JTS_EMAIL_TO: '' }, ['JTS_EMAIL_TO']],
    ['e-mail to no address', { ...EMAIL, JTS_EMAIL_TO: 'desk' }, ['JTS_EMAIL_TO']],
    ['e-mail with a second header', { ...EMAIL, JTS_EMAIL_FROM: 'a@b.c\r\nbcc: x@y.z' }, ['JTS_EMAIL_FROM']],
    ['a login without password', { ...EMAIL, JTS_SMTP_USER: 'jts' }, ['JTS_SMTP_PASSWORD']],
    [
      'a password in the clear',
      { ...EMAIL, JTS_SMTP_USER: 'jts', JTS_SMTP_PASSWORD: 'p', JTS_SMTP_TLS: 'none' },
      ['JTS_SMTP_TLS'],
    ],
    ['Slack complete', SLACK, []],
    ['Slack without URL', { SLACK_ENABLED: 'true' }, ['SLACK_WEBHOOK_URL']],
    ['Slack in the clear', { ...SLACK, SLACK_WEBHOOK_URL: 'http://example.com' }, ['SLACK_WEBHOOK_URL']],
    ['Slack to a file', { ...SLACK, SLACK_WEBHOOK_URL: 'file:///etc/passwd' }, ['SLACK_WEBHOOK_URL']],
    ['webhook complete', WEBHOOK, []],
    ['webhook unsigned', { JTS_WEBHOOK_URL: 'https://example.com' }, ['JTS_WEBHOOK_SECRET']],
    [
      'webhook with a weak secret',
      { ...WEBHOOK, JTS_WEBHOOK_SECRET: SECRET.slice(1) },
      ['JTS_WEBHOOK_SECRET'],
    ],
    ['webhook to nowhere', { ...WEBHOOK, JTS_WEBHOOK_URL: 'example.com' }, ['JTS_WEBHOOK_URL']],
    ['a threshold in hundredths', { RISK_ALERT_THRESHOLD: '2' }, ['RISK_ALERT_THRESHOLD']],
    ['a rate of zero', { JTS_NOTIFY_RATE_PER_MINUTE: '0' }, ['JTS_NOTIFY_RATE_PER_MINUTE']],
    ['a flag that is no flag', { EMAIL_ENABLED: 'perhaps' }, ['EMAIL_ENABLED']],
  ])('%s', (_name, environment, expected) => {
    expect(faultsOf(environment)).toEqual(expected)
  })

  test('a fault never shows a Slack URL', () => {
    const environment = { ...SLACK, SLACK_WEBHOOK_URL: 'http://hooks.slack.com/services/T/B/verysecret' }
    expect(() => load(environment)).toThrow(ConfigError)
    expect(() => load(environment)).not.toThrow(/verysecret/)
  })
})

test('a channel that is not in use has neither options nor a place in the rules', () => {
  const settings = load({})
  expect(notifierOptionsFrom(settings)).toEqual({})
  expect(alertRulesFrom(settings).severityMin).toEqual({})
})

test('on-call people get mail besides those who always do', () => {
  const { email } = notifierOptionsFrom(load({ ...EMAIL, JTS_EMAIL_TO_ON_CALL: 'night@example.com' }))
  expect(email).toMatchObject({
    addresses: ['desk@example.com', 'risk@example.com'],
    addressesOf: { 'on-call': ['desk@example.com', 'risk@example.com', 'night@example.com'] },
  })
})

test.each([
  ['MailHog, no login', {}, 'offered'],
  ['port 465', { SMTP_PORT: '465' }, 'implicit'],
  ['a login', { JTS_SMTP_USER: 'jts', JTS_SMTP_PASSWORD: 'p' }, 'starttls'],
  ['as told', { JTS_SMTP_TLS: 'none' }, 'none'],
])('TLS towards the mail server with %s', (_name, over, expected) => {
  expect(notifierOptionsFrom(load({ ...EMAIL, ...over })).email?.tls).toBe(expected)
})

test('the switches and thresholds of the source document are read', () => {
  const environment = {
    ...SLACK,
    ENABLE_RISK_ALERTS: 'false',
    RISK_ALERT_THRESHOLD: '0.05',
    ENABLE_TRADE_ALERTS: 'true',
    TRADE_ALERT_MIN_VALUE: '1000',
  }
  expect(alertRulesFrom(load(environment))).toMatchObject({
    riskAlertsEnabled: false,
    riskAlertThreshold: ratio('0.05'),
    tradeAlertsEnabled: true,
    tradeAlertNotionalMin: 10_000_000n,
    severityMin: { slack: 'info' },
  })
})
