// What each host answers when the broker says no (reference §3.5). One row a reason.
import type { Refusal } from '#shared/simulation/venue-order.ts'
import { type Profile, type Reply, failed } from './reply.ts'

type Wording = readonly [code: string, text: string, returnCode?: string]

const WORDINGS: Record<Refusal, Record<Profile, Wording>> = {
  quantityNotPositive: {
    real: ['APBK0400', '주문수량을 확인하십시오.'],
    paper: ['40030000', '모의투자 주문처리가 안되었습니다(주문수량 오류)'],
  },
  instrumentUnknown: {
    real: ['APBK0656', '해당종목정보가 없습니다.'],
    paper: ['40070000', '모의투자 주문처리가 안되었습니다(매매불가 종목)'],
  },
  sessionNotOpen: {
    real: ['APBK0918', '장운영시간이 아닙니다.(주문불가)'],
    paper: ['40570000', '모의투자 장시작전 입니다.'],
  },
  sessionClosed: {
    real: ['APBK0918', '장운영시간이 아닙니다.(주문불가)'],
    paper: ['40580000', '모의투자 장종료 입니다.'],
  },
  typeNotAllowed: {
    real: ['APBK3013', '단일가 매매 시간에는 지정가 신규/정정/취소만 가능합니다.'],
    paper: ['40030000', '모의투자 주문처리가 안되었습니다(주문구분 오류)'],
  },
  notTradable: {
    real: ['APBK0656', '거래정지 종목입니다.'],
    paper: ['40070000', '모의투자 주문처리가 안되었습니다(매매불가 종목)'],
  },
  offTick: {
    real: ['APBK0506', '주문단가가 호가단위에 맞지 않습니다.'],
    paper: ['40030000', '모의투자 주문처리가 안되었습니다(호가단위 오류)'],
  },
  outsideLimits: {
    real: ['APBK0507', '주문단가가 상하한가를 벗어났습니다.'],
    paper: ['40030000', '모의투자 주문처리가 안되었습니다(상하한가 오류)'],
  },
  cashInsufficient: {
    real: ['APBK0952', '주문가능금액을 초과 했습니다', '7'],
    paper: ['40250000', '모의투자 주문가능금액이 부족합니다.'],
  },
  holdingNone: {
    real: ['APBK0400', '주문 가능한 수량을 초과했습니다.'],
    paper: ['40240000', '모의투자 잔고내역이 없습니다.'],
  },
  holdingInsufficient: {
    real: ['APBK0400', '주문 가능한 수량을 초과했습니다.'],
    paper: ['40240000', '모의투자 주문가능수량이 부족합니다. 잔고내역이 없습니다.'],
  },
  orderUnknown: {
    real: ['APBK0344', '원주문정보가 존재하지 않습니다.'],
    paper: ['40330000', '모의투자 정정/취소할 수량이 없습니다.'],
  },
  nothingRemains: {
    real: ['APBK0927', '정정/취소할 수량이 없습니다.'],
    paper: ['40330000', '모의투자 정정/취소할 수량이 없습니다.'],
  },
  quantityOverRemaining: {
    real: ['APBK0400', '정정/취소 가능수량을 초과하였습니다.'],
    paper: ['40330000', '모의투자 정정/취소할 수량이 없습니다.(수량초과)'],
  },
}

/** A business refusal: HTTP 200. */
export function refusal(profile: Profile, reason: Refusal): Reply {
  const [code, text, returnCode = '1'] = WORDINGS[reason][profile]
  return failed(200, code, text, returnCode)
}
