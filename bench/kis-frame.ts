// KIS trade frames (H0STCNT0) as the broker sends them: 46 fields a record, separated by ^, records one after another.

interface FieldSpec {
  readonly name: string
  readonly isNumber: boolean
}

const TEXT_FIELDS: ReadonlySet<string> = new Set(
  'MKSC_SHRN_ISCD STCK_CNTG_HOUR PRDY_VRSS_SIGN CCLD_DVSN OPRC_HOUR OPRC_VRSS_PRPR_SIGN HGPR_HOUR HGPR_VRSS_PRPR_SIGN LWPR_HOUR LWPR_VRSS_PRPR_SIGN BSOP_DATE NEW_MKOP_CLS_CODE TRHT_YN HOUR_CLS_CODE MRKT_TRTM_CLS_CODE'.split(
    ' ',
  ),
)

/** In the order of the record. */
export const FIELDS: readonly FieldSpec[] =
  'MKSC_SHRN_ISCD STCK_CNTG_HOUR STCK_PRPR PRDY_VRSS_SIGN PRDY_VRSS PRDY_CTRT WGHN_AVRG_STCK_PRC STCK_OPRC STCK_HGPR STCK_LWPR ASKP1 BIDP1 CNTG_VOL ACML_VOL ACML_TR_PBMN SELN_CNTG_CSNU SHNU_CNTG_CSNU NTBY_CNTG_CSNU CTTR SELN_CNTG_SMTN SHNU_CNTG_SMTN CCLD_DVSN SHNU_RATE PRDY_VOL_VRSS_ACML_VOL_RATE OPRC_HOUR OPRC_VRSS_PRPR_SIGN OPRC_VRSS_PRPR HGPR_HOUR HGPR_VRSS_PRPR_SIGN HGPR_VRSS_PRPR LWPR_HOUR LWPR_VRSS_PRPR_SIGN LWPR_VRSS_PRPR BSOP_DATE NEW_MKOP_CLS_CODE TRHT_YN ASKP_RSQN1 BIDP_RSQN1 TOTAL_ASKP_RSQN TOTAL_BIDP_RSQN VOL_TNRT PRDY_SMNS_HOUR_ACML_VOL PRDY_SMNS_HOUR_ACML_VOL_RATE HOUR_CLS_CODE MRKT_TRTM_CLS_CODE VI_STND_PRC'
    .split(' ')
    .map((name) => ({ name, isNumber: !TEXT_FIELDS.has(name) }))

export const RECORDS = 4

export interface Print {
  readonly symbol: string
  /** HHMMSS in Korea. */
  readonly time: string
  /** YYYYMMDD in Korea. */
  readonly date: string
  /** Won. */
  readonly price: number
  readonly quantity: number
  /** Traded in the session so far, this print included. */
  readonly volume: number
  readonly side: '1' | '3' | '5'
}

/** One frame of the given trades. */
export const frameOf = (prints: readonly Print[]): string =>
  `0|H0STCNT0|${String(prints.length).padStart(3, '0')}|${prints.map(recordOf).join('^')}`

function recordOf({ symbol, time, date, price, quantity, volume, side }: Print): string {
  const head = `${symbol}^${time}^${price}^2^1300^1.88^70289.13^69500^70600^69400^${price + 100}^${price}^${quantity}^${volume}`
  const middle = `${volume * 7_029}0^18735^17012^-1723^93.18^6012345^5602117^${side}^0.48^61.84^090012^2^900^101544^5^-200^090113^2^1000`
  return `${head}^${middle}^${date}^20^N^41230^88121^1523310^2214889^0.19^9342108^124.33^0^^69500`
}

/** Frame number `index` of a set: 4 trades of one instrument, none like those of another frame. */
export function tradeFrame(index: number): string {
  const second = 10_000 + index * RECORDS
  return frameOf(
    Array.from({ length: RECORDS }, (_, record) => ({
      symbol: String(5_930 + index * 10).padStart(6, '0'),
      time: timeText(second + record),
      date: '20250902',
      price: 70_400 + ((index * 7 + record) % 40) * 100,
      quantity: 1 + ((index * 31 + record * 17) % 900),
      volume: 11_000_000 + index * 5_000 + record * 1_000,
      side: record % 2 === 0 ? '1' : '5',
    })),
  )
}

/** HHMMSS, this many seconds after nine in the morning. */
export function timeText(seconds: number): string {
  const of = (unit: number): string => String(unit).padStart(2, '0')
  return `${of(9 + Math.floor(seconds / 3_600))}${of(Math.floor(seconds / 60) % 60)}${of(seconds % 60)}`
}
