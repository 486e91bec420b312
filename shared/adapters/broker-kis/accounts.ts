// Accounts are data: how many there are and whose they are is read from the environment, once, at start.
import * as z from 'zod'

export interface KisSettings {
  /** Decides the TR ids, the notice channel and the default hosts. Never guessed. */
  readonly paperTrading: boolean
  /** Without a trailing slash. */
  readonly apiBaseUrl: string
  readonly websocketUrl: string
  /** Requests of one app key, all processes together. */
  readonly ratePerSecond: number
  /** Absent: KIS states no limit a minute, so none is kept. */
  readonly ratePerMinute?: number
}

export interface KisAccount {
  /** `kis:` and the ten digits. */
  readonly accountId: string
  readonly appKey: string
  readonly appSecret: string
  /** Eight digits (CANO). */
  readonly number: string
  /** Two digits (ACNT_PRDT_CD); 01 is the main brokerage account. */
  readonly product: string
  /** Login id. Execution notices are registered under it, not under the account number. */
  readonly htsId?: string
}

export type KisSettingsResult =
  | { readonly outcome: 'read'; readonly settings: KisSettings; readonly accounts: readonly KisAccount[] }
  /** Every fault found, each naming its setting. Secrets are never quoted. */
  | { readonly outcome: 'faulty'; readonly faults: readonly string[] }

const REAL = {
  api: 'https://openapi.koreainvestment.com:9443',
  websocket: 'ws://ops.koreainvestment.com:21000',
}
const PAPER = {
  api: 'https://openapivts.koreainvestment.com:29443',
  websocket: 'ws://ops.koreainvestment.com:31000',
}
/** Notice of 2026-04-20. New customers have 3 a second for three days: they set it lower. */
const RATE_PER_SECOND = { real: 18, paper: 1 }
const ACCOUNTS_MAX = 89

const WholeNumber = (max: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= 1 && value <= max, `must be from 1 to ${max}`)
const WebUrl = (schemes: readonly string[]) =>
  z
    .string()
    .refine(
      (text) => URL.canParse(text) && schemes.includes(new URL(text).protocol),
      `must be a URL that starts with ${schemes.join(' or ')}`,
    )

/** The settings that do not repeat. `KIS_ACCOUNT_n_…` follow `KIS_TOTAL_ACCOUNTS`; see `readKisSettings`. */
export const KisConfig = z.object({
  /** How many accounts `KIS_ACCOUNT_1_…`, `KIS_ACCOUNT_2_…` describe. */
  KIS_TOTAL_ACCOUNTS: WholeNumber(ACCOUNTS_MAX),
  /** `true` for the paper server (모의투자), `false` for real money. No default: choose it. */
  KIS_PAPER_TRADING: z.enum(['true', 'false']).transform((text) => text === 'true'),
  /** Default: the host that belongs to KIS_PAPER_TRADING. */
  KIS_API_BASE_URL: WebUrl(['https:', 'http:']).optional(),
  /** Default: the host that belongs to KIS_PAPER_TRADING. */
  KIS_WEBSOCKET_URL: WebUrl(['ws:', 'wss:']).optional(),
  /** Requests a second of one app key, all processes together. Default 18 real, 1 paper. */
  KIS_RATE_LIMIT_PER_SECOND: WholeNumber(1_000).optional(),
  /** Requests a minute of one app key. Default: no such limit. */
  KIS_RATE_LIMIT_PER_MINUTE: WholeNumber(60_000).optional(),
})

/** One account's settings, with `n` for its number: `KIS_ACCOUNT_n_APPKEY` and so on. */
export const KisAccountConfig = z.object({
  /** App key from the KIS developer portal. */
  APPKEY: z.string().regex(/^\S+$/, 'must have no blanks'),
  /** App secret that belongs to the app key. */
  APPSECRET: z.string().regex(/^\S+$/, 'must have no blanks'),
  /** Eight digits and two, with or without a dash. */
  NUMBER: z.string().regex(/^\d{8}-?\d{2}$/, 'must be 8 digits and 2, as in 12345678-01'),
  /** Set as JTS_KIS_ACCOUNT_n_HTS_ID. Without it the account has no execution notices. */
  HTS_ID: z
    .string()
    .regex(/^\S{1,40}$/, 'must have no blanks')
    .optional(),
})

type Environment = Readonly<Record<string, string | undefined>>

/** Every setting that `readKisSettings` reads. */
export const KIS_SETTING = /^(?:JTS_)?KIS_/

const ACCOUNT_SETTING = /^(?:JTS_)?KIS_ACCOUNT_(\d+)_/

/** An empty variable counts as unset. Reads nothing but its argument. */
export function readKisSettings(environment: Environment): KisSettingsResult {
  const set: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && value.trim() !== '') set[name] = value.trim()
  }
  const config = KisConfig.safeParse(set)
  const faults = config.success ? hostFaults(config.data) : faultsOf(config.error, set, (name) => name)
  const total = Number(set['KIS_TOTAL_ACCOUNTS'])
  const accounts =
    Number.isSafeInteger(total) && total <= ACCOUNTS_MAX ? readAccounts(set, total, faults) : []
  if (!config.success || faults.length > 0) return { outcome: 'faulty', faults }
  return { outcome: 'read', settings: settingsOf(config.data), accounts }
}

function settingsOf(config: z.infer<typeof KisConfig>): KisSettings {
  const hosts = config.KIS_PAPER_TRADING ? PAPER : REAL
  const perMinute = config.KIS_RATE_LIMIT_PER_MINUTE
  return {
    paperTrading: config.KIS_PAPER_TRADING,
    apiBaseUrl: (config.KIS_API_BASE_URL ?? hosts.api).replace(/\/+$/, ''),
    websocketUrl: config.KIS_WEBSOCKET_URL ?? hosts.websocket,
    ratePerSecond:
      config.KIS_RATE_LIMIT_PER_SECOND ?? RATE_PER_SECOND[config.KIS_PAPER_TRADING ? 'paper' : 'real'],
    ...(perMinute === undefined ? {} : { ratePerMinute: perMinute }),
  }
}

/** Pitfall 15: base URL changed, flag not. KIS would answer EGW02004 or EGW02006 to every call; say it at start. */
function hostFaults(config: z.infer<typeof KisConfig>): string[] {
  const other = config.KIS_PAPER_TRADING ? REAL : PAPER
  const own = config.KIS_PAPER_TRADING ? PAPER : REAL
  const kind = config.KIS_PAPER_TRADING ? 'paper' : 'real'
  const faults: string[] = []
  const check = (name: string, url: string | undefined, wrong: string, right: string): void => {
    if (url === undefined || new URL(url).host !== new URL(wrong).host) return
    faults.push(
      `${name} is not the ${kind} host, but KIS_PAPER_TRADING=${config.KIS_PAPER_TRADING}: use ${right}`,
    )
  }
  check('KIS_API_BASE_URL', config.KIS_API_BASE_URL, other.api, own.api)
  check('KIS_WEBSOCKET_URL', config.KIS_WEBSOCKET_URL, other.websocket, own.websocket)
  return faults
}

function readAccounts(set: Readonly<Record<string, string>>, total: number, faults: string[]): KisAccount[] {
  const accounts: KisAccount[] = []
  for (let index = 1; index <= total; index += 1) {
    const prefix = `KIS_ACCOUNT_${index}_`
    const values = {
      APPKEY: set[`${prefix}APPKEY`],
      APPSECRET: set[`${prefix}APPSECRET`],
      NUMBER: set[`${prefix}NUMBER`],
      HTS_ID: set[`JTS_${prefix}HTS_ID`],
    }
    const parsed = KisAccountConfig.safeParse(values)
    if (parsed.success) accounts.push(accountOf(parsed.data))
    else
      faults.push(
        ...faultsOf(parsed.error, values, (name) => `${name === 'HTS_ID' ? 'JTS_' : ''}${prefix}${name}`),
      )
  }
  for (const name of Object.keys(set)) {
    const index = ACCOUNT_SETTING.exec(name)?.[1]
    if (index !== undefined && (Number(index) < 1 || Number(index) > total)) {
      faults.push(`${name} is set, but KIS_TOTAL_ACCOUNTS is ${total}`)
    }
  }
  // Pitfall 27: a key belongs to one account; and KIS gives each key one websocket session.
  faults.push(
    ...repeated(
      accounts.map((account) => account.appKey),
      'APPKEY',
    ),
  )
  faults.push(
    ...repeated(
      accounts.map((account) => account.accountId),
      'NUMBER',
    ),
  )
  return accounts
}

function accountOf(config: z.infer<typeof KisAccountConfig>): KisAccount {
  const digits = config.NUMBER.replace('-', '')
  return {
    accountId: accountIdOf(digits),
    appKey: config.APPKEY,
    appSecret: config.APPSECRET,
    number: digits.slice(0, 8),
    product: digits.slice(8),
    ...(config.HTS_ID === undefined ? {} : { htsId: config.HTS_ID }),
  }
}

/** The house id of ten digits. */
export const accountIdOf = (digits: string): string => `kis:${digits}`

const repeated = (values: readonly string[], setting: string): string[] =>
  new Set(values).size === values.length ? [] : [`KIS_ACCOUNT_n_${setting}: two accounts share one value`]

const faultsOf = (error: z.ZodError, values: Environment, nameOf: (name: string) => string): string[] =>
  error.issues.map(({ path, message }) => {
    const name = String(path[0])
    return `${nameOf(name)} ${values[name] === undefined ? 'is not set' : message}`
  })
