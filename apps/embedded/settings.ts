// Every setting of every part, read once. All faults of all parts make one message.
import {
  KIS_SETTING,
  type KisAccount,
  type KisSettings,
  readKisSettings,
} from '#shared/adapters/broker-kis/accounts.ts'
import { ConfigError, type Environment, loadConfig, loadSettingsWith } from '#shared/runtime/config.ts'
import { SchedulerConfig } from '../../connectors/scheduler/config.ts'
import { EvaluateStrategyConfig } from '../../functions/evaluate-strategy/config.ts'
import { IngestTickConfig } from '../../functions/ingest-tick/config.ts'
import { NotifyConfig } from '../../functions/notify/config.ts'
import { PlaceOrderConfig } from '../../functions/place-order/config.ts'
import { ReconcileAccountConfig } from '../../functions/reconcile-account/config.ts'
import { RiskCheckConfig } from '../../functions/risk-check/config.ts'
import { EmbeddedConfig, SIMULATED_DEFAULTS } from './config.ts'

const PARTS = {
  embedded: EmbeddedConfig,
  ingest: IngestTickConfig,
  strategy: EvaluateStrategyConfig,
  risk: RiskCheckConfig,
  place: PlaceOrderConfig,
  reconcile: ReconcileAccountConfig,
  notify: NotifyConfig,
  scheduler: SchedulerConfig,
} as const

type Parts = { readonly [Name in keyof typeof PARTS]: ReturnType<(typeof PARTS)[Name]['parse']> }

export interface Broker {
  readonly settings: KisSettings
  readonly accounts: readonly KisAccount[]
}

export interface SuiteSettings extends Parts {
  /** Undefined: no broker is configured, the market is simulated. */
  readonly broker: Broker | undefined
}

/** Any of these means that somebody has a broker in mind; then nothing is simulated, and nothing guarded by default. */
const BROKER_SETTING = /^(JTS_)?KIS_(TOTAL_ACCOUNTS|ACCOUNT_\d+_)/

/** @throws ConfigError that lists every fault. */
export function readSettings(environment: Environment, isReplay: boolean): SuiteSettings {
  const isSet = ([name, value]: [string, string | undefined]): boolean =>
    BROKER_SETTING.test(name) && (value ?? '').trim() !== ''
  const hasBroker = !isReplay && Object.entries(environment).some(isSet)
  const faults: string[] = []
  const effective = hasBroker ? environment : { ...SIMULATED_DEFAULTS, ...present(environment) }

  const noting = <Settings>(load: () => Settings): Settings | undefined => {
    try {
      return load()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      faults.push(...error.faults)
      return undefined
    }
  }
  const read = <Name extends keyof typeof PARTS>(name: Name): Parts[Name] =>
    noting(() => loadConfig(PARTS[name], effective) as Parts[Name]) ?? ({} as Parts[Name])
  const readBroker = (): Broker => {
    const [, kis] = loadSettingsWith([], { names: KIS_SETTING, read: readKisSettings }, environment)
    return kis
  }
  const parts: Parts = {
    embedded: read('embedded'),
    ingest: read('ingest'),
    strategy: read('strategy'),
    risk: read('risk'),
    place: read('place'),
    reconcile: read('reconcile'),
    notify: read('notify'),
    scheduler: read('scheduler'),
  }
  const broker = hasBroker ? noting(readBroker) : undefined
  if (hasBroker && parts.embedded.JTS_INSTRUMENTS === '') {
    faults.push(
      'JTS_INSTRUMENTS: is required with a broker (instruments to follow, comma-separated SYMBOL.VENUE)',
    )
  }
  if (faults.length > 0) throw new ConfigError([...new Set(faults)])
  return { ...parts, broker }
}

const present = (environment: Environment): Environment =>
  Object.fromEntries(Object.entries(environment).filter(([, value]) => (value ?? '').trim() !== ''))
