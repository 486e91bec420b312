// What a KIS error code means to us. The table is data; the two questions asked of it are at the end.
//
// E1. `unread` and `token` are the only verdicts after which an order may be sent again: KIS's front gateway states
//     that it did not pass the request on.
// E2. A code that is not known to be a definite no is `later`, which for an order means: outcome unknown.

export const VERDICTS = [
  'no', // a definite no to this request: bad symbol, no cash, closed market
  'forbidden', // a definite no to everything we may ask: credentials, permission, wrong host
  'unread', // refused by the gateway before anybody read it: rate limits
  'token', // the same, because the access token is stale
  'later', // passing fault; whether the request had an effect is not known
  'timeout', // the broker itself lost sight of it and says: check the last transaction
] as const
export type Verdict = (typeof VERDICTS)[number]

/** From reference §3.4; the comment is KIS's meaning where the verdict does not say it. */
const GATEWAY: Readonly<Record<string, Verdict>> = {
  EGW00001: 'later',
  EGW00002: 'later',
  EGW00003: 'forbidden',
  EGW00004: 'forbidden',
  EGW00101: 'no', // invalid request
  EGW00121: 'token', // invalid token
  EGW00122: 'token', // token not found
  EGW00123: 'token', // expired token
  EGW00133: 'unread', // one token a minute
  EGW00201: 'unread', // requests a second of this key
  EGW00202: 'later',
  EGW00203: 'later',
  EGW00204: 'later',
  EGW00215: 'unread', // requests a second of one ledger, all customers together
  EGW00300: 'timeout',
  EGW00301: 'timeout',
  EGW00302: 'timeout',
  EGW00303: 'forbidden',
  EGW00304: 'forbidden',
  EGW02004: 'forbidden', // paper key or TR on the real host
  EGW02006: 'forbidden', // TR not served on the paper host
  EGW02007: 'forbidden', // real key on the paper host
}

const FAMILIES: readonly (readonly [RegExp, Verdict])[] = [
  [/^EGW001(0[2-9]|1\d|20|2[4-9]|3[0-2])$/, 'forbidden'], // keys, OAuth, customer
  [/^EGW0020[5-9]$|^EGW0021[0-3]$/, 'forbidden'], // permission, address, customer kind
  [/^EGW0?200[4-7]$/, 'forbidden'], // one report spells EGW02004 as EGW2004
  [/^OPSQ2\d{3}$|^OPSQ999[5-9]$/, 'no'], // a field or header is missing or wrong
  [/^(APBK|APAC|APTR|KIOK)\d{4}$/, 'no'], // the order system's own refusals
  [/^\d{8}$/, 'no'], // the paper server's
]

/** Success codes never explain a failure: KIS contradicts itself, and the outcome is open. */
const SUCCESS = new Set(['APBK0013', 'APBK1711', 'APBK2938', 'KIOK0510', 'KIOK0460', 'KIOK0500', 'MCA00000'])
const PAPER_SUCCESS = /^(40600000|40590000|40620000|40630000|20310000)$/

/** The verdict on an answer that is not a success. `code` is `msg_cd`, or `error_code` of the token endpoint. */
export function verdictOf(code: string): Verdict {
  const listed = GATEWAY[code]
  if (listed !== undefined) return listed
  if (SUCCESS.has(code) || PAPER_SUCCESS.test(code)) return 'later'
  return FAMILIES.find(([pattern]) => pattern.test(code))?.[1] ?? 'later'
}

/** Paging met a changed ledger: begin again at page one. There is no code of its own; the text says it. */
export const listChanged = (message: string): boolean =>
  message.includes('변경') && /다시|재조회|재 조회/.test(message)
