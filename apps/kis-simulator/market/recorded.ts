// Tells recordings apart by their columns.
import { basename } from 'node:path'
import type { SessionDate } from '#shared/domain/time.ts'
import { csvPaths, readCsv } from './csv.ts'
import { recordedBars } from './recorded-bars.ts'
import { recordedDaily } from './recorded-daily.ts'
import { recordedTicks } from './recorded-ticks.ts'
import { recordedUsTicks } from './recorded-us.ts'
import { type MarketSource, RecordingError } from './source.ts'

const MS_PER_MINUTE = 60_000
const HEADER_SHOWN = 60

/** `from` is where a tape of daily bars begins; other recordings begin at their beginning. */
export function recordedMarket(path: string, from?: SessionDate): MarketSource {
  const files = csvPaths(path).map(readCsv)
  const [first] = files
  const name = `recorded ${basename(path)}${from === undefined ? '' : ` from ${from}`}`
  const has = (...columns: readonly string[]): boolean =>
    files.every((file) => columns.every((column) => file.columns.includes(column)))
  if (first !== undefined && files.length === 1 && has('time', 'exchange', 'sale_condition'))
    return recordedUsTicks(name, first)
  if (has('time', 'kind', 'cum_volume', 'ask1')) return recordedTicks(name, files)
  if (has('time', 'open', 'high', 'low', 'close', 'volume'))
    return recordedBars(name, files, intervalOf(path) * MS_PER_MINUTE)
  if (has('date', 'open', 'high', 'low', 'close', 'volume')) return recordedDaily(name, files, from)
  const header = JSON.stringify(first?.columns.join(',').slice(0, HEADER_SHOWN) ?? '')
  throw new RecordingError(`${path}: neither ticks, bars nor daily bars; it begins with ${header}`)
}

/** Minutes, from the `bars_5m_…` in the path. */
function intervalOf(path: string): number {
  const minutes = /bars_(\d+)m/.exec(path)?.[1]
  if (minutes === undefined) throw new RecordingError(`${path}: the path does not say bars_<minutes>m`)
  return Number(minutes)
}
