import { type Instrument, type InstrumentKind, type Market, instrumentId } from '#shared/domain/instrument.ts'
import { sessionDate } from '#shared/domain/time.ts'
import { formatPrice, formatQuantity, formatRatio, price, quantity, ratio } from '#shared/domain/values.ts'
import type { Instruments } from '#shared/ports/instruments.ts'
import type { PostgresDatabase } from './database.ts'

const COLUMNS = `instrument_id, name, kind, market, currency, quantity_increment, is_tradable, base_price,
  base_price_date, leverage`

const READ = {
  name: 'read an instrument',
  text: `SELECT ${COLUMNS} FROM trading.instruments WHERE instrument_id = $1`,
}

const READ_ALL = {
  name: 'read all instruments',
  text: `SELECT ${COLUMNS} FROM trading.instruments ORDER BY instrument_id`,
}

const PUT = {
  name: 'write instruments',
  text: `
  INSERT INTO trading.instruments (${COLUMNS})
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::boolean[],
                       $8::numeric[], $9::date[], $10::numeric[])
  ON CONFLICT (instrument_id) DO UPDATE SET
    name = EXCLUDED.name, kind = EXCLUDED.kind, market = EXCLUDED.market, currency = EXCLUDED.currency,
    quantity_increment = EXCLUDED.quantity_increment, is_tradable = EXCLUDED.is_tradable,
    base_price = EXCLUDED.base_price, base_price_date = EXCLUDED.base_price_date,
    leverage = EXCLUDED.leverage`,
}

interface InstrumentRow {
  readonly instrument_id: string
  readonly name: string
  readonly kind: InstrumentKind
  readonly market: Market
  readonly currency: string
  readonly quantity_increment: string
  readonly is_tradable: boolean
  readonly base_price: string | null
  readonly base_price_date: string | null
  readonly leverage: string | null
}

const instrumentOf = (row: InstrumentRow): Instrument => ({
  id: instrumentId(row.instrument_id),
  name: row.name,
  kind: row.kind,
  market: row.market,
  currency: row.currency,
  quantityIncrement: quantity(row.quantity_increment),
  isTradable: row.is_tradable,
  ...(row.base_price === null ? {} : { basePrice: price(row.base_price) }),
  ...(row.base_price_date === null ? {} : { basePriceDate: sessionDate(row.base_price_date) }),
  ...(row.leverage === null ? {} : { leverage: ratio(row.leverage) }),
})

export const postgresInstruments = (database: PostgresDatabase): Instruments => ({
  async get(id) {
    const [row] = await database.run<InstrumentRow>(READ, [id])
    return row === undefined ? undefined : instrumentOf(row)
  },
  async list() {
    return (await database.run<InstrumentRow>(READ_ALL, [])).map(instrumentOf)
  },
  async put(instruments) {
    // One statement cannot write a row twice; the later of two entries stands.
    const byId = [...new Map(instruments.map((instrument) => [instrument.id, instrument])).values()]
    if (byId.length === 0) return
    await database.run(PUT, [
      byId.map((instrument) => instrument.id),
      byId.map((instrument) => instrument.name),
      byId.map((instrument) => instrument.kind),
      byId.map((instrument) => instrument.market),
      byId.map((instrument) => instrument.currency),
      byId.map((instrument) => formatQuantity(instrument.quantityIncrement)),
      byId.map((instrument) => instrument.isTradable),
      byId.map(({ basePrice }) => (basePrice === undefined ? null : formatPrice(basePrice))),
      byId.map((instrument) => instrument.basePriceDate ?? null),
      byId.map(({ leverage }) => (leverage === undefined ? null : formatRatio(leverage))),
    ])
  },
})
