import { expect, onTestFinished, test } from 'vitest'
import { startNode } from '../processes.ts'
import { members, openRaw, parseAnswer } from './fixture-server.ts'

async function start(environment: Readonly<Record<string, string>> = {}) {
  const started = startNode(['test/http/fixtures/everything.ts'], environment)
  onTestFinished(() => void started.stop('SIGKILL'))
  const [line] = await started.line(/^\{.*\}$/m)
  const { port, ...rest } = members(line)
  return { process: started, url: `http://127.0.0.1:${port}`, port: Number(port), ...rest }
}

test('all functions share one port, one address of their own and one table of paths', async () => {
  const app = await start()
  const ask = async (method: string, path: string) => {
    const answer = await fetch(`${app.url}${path}`, { method })
    return { status: answer.status, ...members(await answer.text()) }
  }

  const [first, second, wrongMethod, unknown] = [
    await ask('GET', '/first'),
    await ask('POST', '/second'),
    await ask('POST', '/first'),
    await ask('GET', '/third'),
  ]
  await app.process.stop()

  expect(first).toEqual({ status: 200, from: 'first', url: app.url })
  expect(second).toEqual({ status: 200, from: 'second' })
  expect(wrongMethod).toMatchObject({ status: 405, code: 'method_not_allowed' })
  expect(unknown).toMatchObject({ status: 404, code: 'not_found' })
})

test('PUBLIC_URL wins over the own address, a taken port is an error of its own, an end waits for what runs', async () => {
  const app = await start({ PUBLIC_URL: 'https://photos.example/' })
  const answer = members(await (await fetch(`${app.url}/first`)).text())
  const slow = openRaw(app.port)
  slow.socket.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')
  await fetch(`${app.url}/first`)

  const code = await app.process.stop()
  const finished = parseAnswer(await slow.closed)

  expect(answer['url']).toBe('https://photos.example')
  expect(app).toMatchObject({ taken: 'EADDRINUSE', names: ['first', 'second'] })
  expect([finished.status, code]).toEqual([200, 0])
  expect(app.process.output()).toContain('closed')
})
