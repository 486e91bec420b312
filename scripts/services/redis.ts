import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { UnavailableError } from './kafka-jars.ts'
import { type ServerProcess, freePort, startServer } from './server-process.ts'

export interface RedisServer extends ServerProcess {
  readonly url: string
}

/**
 * The Redis of this machine, in memory only: JTS keeps nothing there that it cannot rebuild.
 * @throws UnavailableError where none is installed.
 */
export async function startRedis(directory: string, wanted?: number): Promise<RedisServer> {
  await mkdir(directory, { recursive: true })
  const port = wanted ?? (await freePort())
  try {
    const server = await startServer({
      name: 'Redis',
      command: 'redis-server',
      args: [
        '--bind',
        '127.0.0.1',
        '--port',
        `${port}`,
        '--dir',
        directory,
        '--save',
        '',
        '--appendonly',
        'no',
      ],
      files: join(directory, 'redis'),
      mark: `127.0.0.1:${port}`,
      ready: /Ready to accept connections/,
    })
    return { ...server, url: `redis://127.0.0.1:${port}` }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    throw new UnavailableError('redis-server is not on the PATH', { cause: error })
  }
}
