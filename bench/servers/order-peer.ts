// The far side of an order: answers token and order-cash at once, and remembers when each order had arrived.
import { createServer } from 'node:http'
import { machineMs } from '../machine-time.ts'

const TOKEN = { access_token: 'peer-token', token_type: 'Bearer', expires_in: 86_400 }
const arrivals: number[] = []

createServer((incoming, outgoing) => {
  incoming.resume()
  incoming.on('end', () => {
    const arrivedMs = machineMs()
    const path = incoming.url ?? ''
    outgoing.setHeader('content-type', 'application/json')
    if (path === '/arrivals') {
      outgoing.end(JSON.stringify(arrivals.splice(0)))
    } else if (path === '/oauth2/tokenP') {
      outgoing.end(JSON.stringify(TOKEN))
    } else {
      arrivals.push(arrivedMs)
      const ODNO = String(Math.round(arrivedMs * 100) % 1e10).padStart(10, '0')
      const output = { KRX_FWDG_ORD_ORGNO: '06010', ODNO, ORD_TMD: '120000' }
      outgoing.end(JSON.stringify({ rt_cd: '0', msg_cd: 'APBK0013', msg1: 'accepted', output }))
    }
  })
}).listen(Number(process.env['PORT']))
