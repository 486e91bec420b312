// The bound: Node's own server, JSON.parse, an answer with the same attributes as ours in one write. Checks nothing.
import { randomUUID } from 'node:crypto'
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
    const answer = JSON.stringify({ accountId, clientOrderId, code: 'TRADING_HALTED', detail: '' })
    outgoing.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(answer),
      'ce-specversion': '1.0',
      'ce-id': randomUUID(),
      'ce-source': '/bench/bare',
      'ce-type': 'jts.order.denied.v1',
      'ce-subject': clientOrderId ?? '',
      'ce-time': new Date().toISOString(),
      'ce-partitionkey': accountId ?? '',
      'ce-correlationid': incoming.headers['ce-correlationid'] ?? '',
      'ce-causationid': incoming.headers['ce-id'] ?? '',
      'ce-traceparent': incoming.headers['ce-traceparent'] ?? '',
    })
    outgoing.end(answer)
  })
}).listen(Number(process.env['PORT']))
