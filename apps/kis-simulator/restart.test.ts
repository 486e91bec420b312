import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ACCOUNT, call, post } from './test-client.ts'

const PROGRAM = join(process.cwd(), 'apps/kis-simulator/main.ts')
let directory = ''
let child: ChildProcess | undefined

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'jts-simulator-'))
})
afterAll(() => {
  child?.kill('SIGKILL')
  rmSync(directory, { recursive: true })
})

interface Running {
  readonly process: ChildProcess
  readonly url: string
  readonly headers: Record<string, string>
}

/** The program as a person starts it. */
async function launch(): Promise<Running> {
  const args = [
    '--seed',
    '7',
    '--date',
    '2026-03-03',
    '--speed',
    '10000',
    '--rate',
    '100000',
    '--port',
    '0',
    '--websocket-port',
    '0',
  ]
  const started = spawn(process.execPath, [PROGRAM, ...args, '--state', join(directory, 'journal')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child = started
  const told = new Map<string, string>()
  for await (const line of createInterface({ input: started.stdout })) {
    const [, name, value] = /^ {2}([A-Z0-9_]+)=(.*)$/.exec(line) ?? []
    if (name !== undefined && value !== undefined) told.set(name, value)
    if (line.includes('Ctrl-C')) break
  }
  const url = told.get('KIS_API_BASE_URL') ?? ''
  const appkey = told.get('KIS_ACCOUNT_1_APPKEY') ?? ''
  const appsecret = told.get('KIS_ACCOUNT_1_APPSECRET') ?? ''
  const issued = await post(`${url}/oauth2/tokenP`, { grant_type: 'client_credentials', appkey, appsecret })
  const authorization = `Bearer ${String(issued.body['access_token'])}`
  return { process: started, url, headers: { appkey, appsecret, authorization, custtype: 'P' } }
}

/** A market order without a price. */
const place = ({ url, headers }: Running, won?: number) =>
  post(
    `${url}/uapi/domestic-stock/v1/trading/order-cash`,
    {
      ...ACCOUNT,
      PDNO: '005930',
      ORD_DVSN: won === undefined ? '01' : '00',
      ORD_QTY: '3',
      ORD_UNPR: String(won ?? 0),
    },
    { ...headers, tr_id: 'VTTC0012U' },
  )

interface Report {
  readonly brokerOrders: number
  readonly brokerFills: number
  readonly accounts: readonly {
    readonly cash: string
    readonly positions: readonly { readonly quantity: string }[]
  }[]
  readonly tape: { readonly position: { readonly date: string; readonly index: number } }
}
const placeOf = ({ tape }: Report): string =>
  `${tape.position.date} ${String(tape.position.index).padStart(9, '0')}`
const reportOf = async ({ url }: Running): Promise<Report> =>
  JSON.parse((await call(`${url}/simulator/report`)).text) as Report

type Row = Readonly<Record<string, string>>

/** Every page of the order list. */
async function allRows({ headers, url }: Running): Promise<readonly Row[]> {
  const rows: Row[] = []
  let keys: Record<string, string> = { CTX_AREA_FK100: '', CTX_AREA_NK100: '' }
  for (let more = ''; ; more = 'N') {
    const dates = { INQR_STRT_DT: '20260301', INQR_END_DT: '20261231' }
    const filter = { SLL_BUY_DVSN_CD: '00', PDNO: '', CCLD_DVSN: '00', INQR_DVSN: '01' }
    const query = new URLSearchParams({ ...ACCOUNT, ...dates, ...filter, ...keys })
    const page = await call(`${url}/uapi/domestic-stock/v1/trading/inquire-daily-ccld?${query.toString()}`, {
      headers: { ...headers, tr_id: 'VTTC0081R', tr_cont: more },
    })
    rows.push(...(page.body.output1 ?? []))
    if (!['F', 'M'].includes(page.headers.get('tr_cont') ?? '')) return rows
    keys = {
      CTX_AREA_FK100: String(page.body['ctx_area_fk100']),
      CTX_AREA_NK100: String(page.body['ctx_area_nk100']),
    }
  }
}

/** Won paid for what a buy has filled, its fee cut to a won. */
const costOf = (row: Row): number =>
  Number(row['tot_ccld_amt']) + Math.floor(Number(row['tot_ccld_amt']) * 0.00014)

test('killed again and again while orders come in, it forgets none that it acknowledged and invents none', async () => {
  const acknowledged: string[] = []
  let unanswered = 0
  let position = ''
  for (let round = 0; round < 4; round += 1) {
    const running = await launch()
    const before = await reportOf(running)
    expect(placeOf(before) >= position).toBe(true)
    let fills = before.brokerFills
    for (let count = 0; ; count += 1) {
      // Not before something has filled in this round.
      if (count >= 10 + round * 7 && fills > before.brokerFills) running.process.kill('SIGKILL')
      try {
        const answer = await place(running, count % 3 === 0 ? undefined : 70_000 + 300 * (count % 10))
        if (answer.body.rt_cd === '0') acknowledged.push(answer.body.output?.['ODNO'] ?? '')
        const report = await reportOf(running)
        fills = report.brokerFills
        position = placeOf(report)
      } catch {
        unanswered += 1
        break
      }
    }
    if (running.process.exitCode === null && running.process.signalCode === null)
      await once(running.process, 'exit')
  }
  const last = await launch()
  // The tape runs on: read the list between two equal reports.
  let report = await reportOf(last)
  let rows = await allRows(last)
  for (
    let after = await reportOf(last);
    after.brokerFills !== report.brokerFills;
    after = await reportOf(last)
  ) {
    report = after
    rows = await allRows(last)
  }
  const numbers = rows.map((row) => row['odno'] ?? '')
  const filled = rows.reduce((sum, row) => sum + Number(row['tot_ccld_qty']), 0)
  const paid = rows.reduce((sum, row) => sum + costOf(row), 0)
  expect(new Set(numbers).size).toBe(numbers.length)
  expect(acknowledged.filter((number) => !numbers.includes(number))).toEqual([])
  expect(numbers.length).toBeLessThanOrEqual(acknowledged.length + unanswered)
  expect(report.brokerOrders).toBe(numbers.length)
  const [account] = report.accounts
  expect(Number(account?.positions[0]?.quantity ?? 0)).toBe(filled)
  expect(Number(account?.cash)).toBe(100_000_000 - paid)
  last.process.kill('SIGINT')
  const [code] = (await once(last.process, 'exit')) as [number | null]
  expect(code).toBe(0)
}, 60_000)
