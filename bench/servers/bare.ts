// The bound: Node's own server, JSON.parse, an answer. Checks nothing.
import { createServer } from 'node:http'

createServer((incoming, outgoing) => {
  const chunks: Buffer[] = []
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
  incoming.on('end', () => {
    const text = Buffer.concat(chunks).toString()
    if (text === '') {
      outgoing.writeHead(400).end()
      return
    }
    const { accountId, clientOrderId } = JSON.parse(text) as Record<string, string>
    outgoing.writeHead(200, {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': 'b7e35d684f1c2a90b7e35d684f1c2a90',
      'ce-source': '/bench/bare',
      'ce-type': 'jts.order.denied.v1',
      'ce-subject': clientOrderId ?? '',
      'ce-time': '2025-09-02T03:00:00.125Z',
      'ce-partitionkey': accountId ?? '',
    })
    outgoing.end(JSON.stringify({ accountId, clientOrderId, code: 'TRADING_HALTED', detail: '' }))
  })
}).listen(Number(process.env['PORT']))
