// What stands before every business call, in the order of the reference (§13.3): content type, keys, token, TR id, rate.
import type { Customers, RateLimit } from '../customers.ts'
import { type Call, type Profile, type Reply, failed } from './reply.ts'

/** TR ids of one call. A call without a paper TR is not served by the paper host. */
export interface TrIds {
  readonly real: readonly string[]
  readonly paper: readonly string[]
}

export interface Gate {
  readonly profile: Profile
  readonly customers: Customers
  readonly rate: RateLimit
  /** Of the ledger behind inquire-balance, over all customers. */
  readonly ledgerRate: RateLimit
}

const LEDGER_TR = /^[TV]TTC8434R$/

/** What is wrong with the call; `undefined` lets it through. */
export function stoppedAt(gate: Gate, call: Call, method: string, trIds: TrIds): Reply | undefined {
  return (
    wrongKeys(gate, call, method) ??
    wrongToken(gate, call) ??
    wrongTr(gate, call, trIds) ??
    tooMany(gate, call)
  )
}

function wrongKeys({ customers }: Gate, call: Call, method: string): Reply | undefined {
  const contentType = call.header('content-type')
  if (method === 'POST' && !contentType.toLowerCase().startsWith('application/json')) {
    return failed(500, 'EGW00132', 'Content-Type이 유효하지 않습니다.')
  }
  const appSecret = call.header('appsecret')
  if (call.appKey === '') return failed(500, 'EGW00102', 'AppKey는 필수입니다.')
  if (!customers.knows(call.appKey)) return failed(500, 'EGW00103', '유효하지 않은 AppKey입니다.')
  if (appSecret === '') return failed(500, 'EGW00104', 'AppSecret은 필수입니다.')
  if (!customers.hasSecret(call.appKey, appSecret))
    return failed(500, 'EGW00105', '유효하지 않은 AppSecret입니다.')
  return undefined
}

function wrongToken({ customers }: Gate, call: Call): Reply | undefined {
  const [scheme, token = ''] = call.header('authorization').split(' ')
  if (scheme === '') return failed(500, 'EGW00121', '유효하지 않은 token 입니다.')
  if (scheme !== 'Bearer') return failed(500, 'EGW00205', 'credentials_type이 유효하지 않습니다.(Bearer)')
  const check = customers.checkToken(call.appKey, token)
  if (check === 'unknown') return failed(500, 'EGW00121', '유효하지 않은 token 입니다.')
  return check === 'expired' ? failed(500, 'EGW00123', '기간이 만료된 token 입니다.') : undefined
}

function wrongTr({ profile }: Gate, call: Call, trIds: TrIds): Reply | undefined {
  const trId = call.header('tr_id')
  if (trId === '') return failed(500, 'OPSQ9999', 'ERROR : INPUT HEADER NOT FOUND [tr_id]')
  if (trIds[profile].includes(trId)) return undefined
  if (profile === 'paper') {
    if (trIds.paper.length === 0 || trIds.real.includes(trId)) {
      return failed(500, 'EGW02006', '모의투자 TR 이 아닙니다.')
    }
  } else if (trIds.paper.includes(trId)) return failed(500, 'EGW02004', '실전투자 TR 이 아닙니다.')
  return failed(500, 'OPSQ0002', `없는 서비스 코드 입니다 [${trId}]`)
}

function tooMany({ rate, ledgerRate }: Gate, call: Call): Reply | undefined {
  if (!rate.take(call.appKey)) return failed(500, 'EGW00201', '초당 거래건수를 초과하였습니다.')
  if (LEDGER_TR.test(call.header('tr_id')) && !ledgerRate.take('ledger')) {
    return failed(500, 'EGW00215', '원장 초당 거래건수를 초과하였습니다.')
  }
  return undefined
}
