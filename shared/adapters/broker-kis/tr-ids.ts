// The ids that KIS gives its transactions. Real and paper side by side, because one is not always a respelling of the
// other (US sells); quotes have one id for both. The ids of 2025: the older ones may be blocked without notice.

export const TRADING_TR = {
  buy: { real: 'TTTC0012U', paper: 'VTTC0012U' },
  sell: { real: 'TTTC0011U', paper: 'VTTC0011U' },
  change: { real: 'TTTC0013U', paper: 'VTTC0013U' },
  orders: { real: 'TTTC0081R', paper: 'VTTC0081R' },
  /** Older than three months. */
  ordersBefore: { real: 'CTSC9215R', paper: 'VTSC9215R' },
  balance: { real: 'TTTC8434R', paper: 'VTTC8434R' },
  orderableCash: { real: 'TTTC8908R', paper: 'VTTC8908R' },
} as const

export type TradingTr = keyof typeof TRADING_TR

export const tradingTr = (name: TradingTr, paperTrading: boolean): string =>
  TRADING_TR[name][paperTrading ? 'paper' : 'real']

export const QUOTE_TR = {
  price: 'FHKST01010100',
  book: 'FHKST01010200',
  dailyChart: 'FHKST03010100',
  minuteChart: 'FHKST03010200',
} as const

export const TRADE_CHANNEL = 'H0STCNT0'
export const BOOK_CHANNEL = 'H0STASP0'
export const noticeChannel = (paperTrading: boolean): string => (paperTrading ? 'H0STCNI9' : 'H0STCNI0')

export const PATH = {
  token: '/oauth2/tokenP',
  approval: '/oauth2/Approval',
  order: '/uapi/domestic-stock/v1/trading/order-cash',
  change: '/uapi/domestic-stock/v1/trading/order-rvsecncl',
  orders: '/uapi/domestic-stock/v1/trading/inquire-daily-ccld',
  balance: '/uapi/domestic-stock/v1/trading/inquire-balance',
  orderableCash: '/uapi/domestic-stock/v1/trading/inquire-psbl-order',
  price: '/uapi/domestic-stock/v1/quotations/inquire-price',
  book: '/uapi/domestic-stock/v1/quotations/inquire-asking-price-exp-ccn',
  dailyChart: '/uapi/domestic-stock/v1/quotations/inquire-daily-itemchartprice',
  minuteChart: '/uapi/domestic-stock/v1/quotations/inquire-time-itemchartprice',
} as const
