// Names of instruments that tapes are likely to hold, and the twenty that the seeded market trades. Facts of KRX; base
// prices and volumes of the seeded market are only plausible.
import { type Instrument, type InstrumentKind, type Market, instrumentId } from '#shared/domain/instrument.ts'
import { quantity, ratio } from '#shared/domain/values.ts'

/** How the seeded market moves one instrument. */
export interface SeededInstrument {
  readonly symbol: string
  /** Won. On the tick grid. */
  readonly basePrice: number
  /** Shares on an ordinary day. */
  readonly dayVolume: number
  /** Deviation of a day's move, a part of the price. */
  readonly dailyVolatility: number
  /** Share of the market's events, relative. */
  readonly activity: number
}

const NAMES: readonly (readonly [
  symbol: string,
  name: string,
  kind?: InstrumentKind,
  market?: Market,
  leverage?: string,
])[] = [
  ['005930', '삼성전자'],
  ['000660', 'SK하이닉스'],
  ['035420', 'NAVER'],
  ['035720', '카카오'],
  ['005380', '현대차'],
  ['000270', '기아'],
  ['051910', 'LG화학'],
  ['006400', '삼성SDI'],
  ['207940', '삼성바이오로직스'],
  ['068270', '셀트리온'],
  ['105560', 'KB금융'],
  ['055550', '신한지주'],
  ['373220', 'LG에너지솔루션'],
  ['005490', 'POSCO홀딩스'],
  ['012330', '현대모비스'],
  ['066570', 'LG전자'],
  ['028260', '삼성물산'],
  ['015760', '한국전력'],
  ['017670', 'SK텔레콤'],
  ['034020', '두산에너빌리티'],
  ['042660', '한화오션'],
  ['012450', '한화에어로스페이스'],
  ['133820', '화인베스틸'],
  ['247540', '에코프로비엠', 'stock', 'KOSDAQ'],
  ['086520', '에코프로', 'stock', 'KOSDAQ'],
  ['196170', '알테오젠', 'stock', 'KOSDAQ'],
  ['028300', 'HLB', 'stock', 'KOSDAQ'],
  ['208640', '썸에이지', 'stock', 'KOSDAQ'],
  ['322780', '코퍼스코리아', 'stock', 'KOSDAQ'],
  ['069500', 'KODEX 200', 'etp', 'KOSPI', '1'],
  ['114800', 'KODEX 인버스', 'etp', 'KOSPI', '1'],
  ['122630', 'KODEX 레버리지', 'etp', 'KOSPI', '2'],
  ['252670', 'KODEX 200선물인버스2X', 'etp', 'KOSPI', '2'],
  ['360750', 'TIGER 미국S&P500', 'etp', 'KOSPI', '1'],
  ['396500', 'TIGER 반도체TOP10', 'etp', 'KOSPI', '1'],
]

const BY_SYMBOL = new Map(NAMES.map((row) => [row[0], row]))

/** An instrument by its code. One that is not in the list is taken for a KOSPI stock named by its code. */
export function instrumentOf(symbol: string): Instrument {
  const [, name, kind, market, leverage] = BY_SYMBOL.get(symbol) ?? [symbol, symbol]
  return {
    id: instrumentId(`${symbol}.KRX`),
    name,
    kind: kind ?? 'stock',
    market: market ?? 'KOSPI',
    ...(leverage === undefined ? {} : { leverage: ratio(leverage) }),
    currency: 'KRW',
    quantityIncrement: quantity('1'),
    isTradable: true,
  }
}

const row = (
  symbol: string,
  basePrice: number,
  dayVolume: number,
  dailyVolatility: number,
  activity: number,
): SeededInstrument => ({ symbol, basePrice, dayVolume, dailyVolatility, activity })

export const SEEDED_INSTRUMENTS: readonly SeededInstrument[] = [
  row('005930', 71_500, 14_000_000, 0.016, 3),
  row('000660', 198_500, 3_200_000, 0.024, 2.5),
  row('035420', 212_000, 650_000, 0.02, 1),
  row('035720', 43_550, 1_600_000, 0.022, 1),
  row('005380', 208_500, 720_000, 0.018, 1),
  row('000270', 98_400, 1_100_000, 0.018, 0.9),
  row('051910', 278_500, 240_000, 0.022, 0.7),
  row('006400', 204_000, 480_000, 0.026, 0.8),
  row('207940', 1_012_000, 52_000, 0.015, 0.5),
  row('068270', 161_800, 520_000, 0.018, 0.8),
  row('105560', 107_800, 950_000, 0.019, 0.8),
  row('055550', 62_300, 1_050_000, 0.017, 0.8),
  row('373220', 325_500, 260_000, 0.022, 0.8),
  row('005490', 291_000, 310_000, 0.02, 0.7),
  row('015760', 34_150, 2_600_000, 0.019, 0.9),
  row('247540', 98_300, 900_000, 0.034, 1.1),
  row('196170', 402_500, 310_000, 0.033, 0.9),
  row('069500', 38_450, 5_200_000, 0.012, 1.2),
  row('122630', 22_385, 16_000_000, 0.024, 1.3),
  row('114800', 3_560, 62_000_000, 0.012, 1.1),
]
