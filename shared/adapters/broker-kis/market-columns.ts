// Where H0STCNT0 and H0STASP0 keep what a tick is made of. Counted from 0, as reference material on KIS counts them.

/** Columns that a tick is made of. */
export const TRADE = {
  symbol: 0,
  time: 1,
  price: 2,
  ask: 10,
  bid: 11,
  volume: 12,
  dayVolume: 13,
  side: 21,
  date: 33,
}
export const BOOK = { symbol: 0, time: 1, ask: 3, bid: 13, askQuantity: 23, bidQuantity: 33 }
/** KIS's names of them, for faults. */
export const TRADE_NAMES: Readonly<Record<number, string>> = {
  [TRADE.symbol]: 'MKSC_SHRN_ISCD',
  [TRADE.time]: 'STCK_CNTG_HOUR',
  [TRADE.price]: 'STCK_PRPR',
  [TRADE.ask]: 'ASKP1',
  [TRADE.bid]: 'BIDP1',
  [TRADE.volume]: 'CNTG_VOL',
  [TRADE.dayVolume]: 'ACML_VOL',
  [TRADE.side]: 'CCLD_DVSN',
  [TRADE.date]: 'BSOP_DATE',
}
export const BOOK_NAMES: Readonly<Record<number, string>> = {
  [BOOK.symbol]: 'MKSC_SHRN_ISCD',
  [BOOK.time]: 'BSOP_HOUR',
  [BOOK.ask]: 'ASKP1',
  [BOOK.bid]: 'BIDP1',
  [BOOK.askQuantity]: 'ASKP_RSQN1',
  [BOOK.bidQuantity]: 'BIDP_RSQN1',
}

/** The narrowest records ever seen. */
export const TRADE_WIDTH = 46
export const BOOK_WIDTH = 59
