// Is the program in this container alive? Exit code 0: it answers /health with 200. Images have no curl.
import { get } from 'node:http'

const request = get({ port: process.env.PORT ?? 8080, path: '/health', timeout: 2_500 }, ({ statusCode }) => {
  process.exit(statusCode === 200 ? 0 : 1)
})
request.on('timeout', () => request.destroy())
request.on('error', () => process.exit(1))
