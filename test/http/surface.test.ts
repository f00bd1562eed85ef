import { Agent, METHODS, request } from 'node:http'
import { describe, expect } from 'vitest'
import { members, type RawAnswer, raw, test } from './fixture-server.ts'

/** Path and what it can do, as declared in the fixture. */
const PATHS = [
  { path: '/hello', allow: ['GET', 'HEAD', 'OPTIONS'] },
  { path: '/login', allow: ['POST', 'OPTIONS'] },
  { path: '/mine', allow: ['GET', 'HEAD', 'POST', 'OPTIONS'] },
  { path: '/file', allow: ['POST', 'OPTIONS'] },
  { path: '/photos/abc', allow: ['GET', 'HEAD', 'DELETE', 'OPTIONS'] },
  { path: '/export', allow: ['GET', 'HEAD', 'OPTIONS'] },
]
const UNKNOWN = ['/', '/favicon.ico', '/robots.txt', '/hello/', '//hello', '/photos', '/photos/%ff']

const agent = new Agent({ keepAlive: true, maxSockets: 16 })

function ask(port: number, method: string, path: string): Promise<RawAnswer | 'closed'> {
  return new Promise((resolve) => {
    const call = request({ port, host: '127.0.0.1', method, path, agent })
    call.on('response', (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      const headers = new Map(
        Object.entries(answer.headersDistinct).map(([name, values]) => [
          name,
          values?.join(', ') ?? '',
        ]),
      )
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers, body, text: body }))
    })
    call.on('error', () => resolve('closed'))
    call.on('connect', () => resolve('closed'))
    call.end()
  })
}

async function askAll(port: number, paths: readonly string[]) {
  const pairs = paths.flatMap((path) => METHODS.map((method) => ({ path, method })))
  return await Promise.all(
    pairs.map(async ({ path, method }) => ({
      path,
      method,
      answer: await ask(port, method, path),
    })),
  )
}

function summary(answer: RawAnswer | 'closed'): string {
  return answer === 'closed'
    ? answer
    : `${answer.status} ${answer.headers.get('allow') ?? ''}`.trim()
}

const json = (body: string, headers = '') =>
  `POST /login HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
const GOOD = '{"username":"kartik","password":"correct horse"}'

describe('methods and paths', () => {
  test('HTTP-01 every method that is not the path’s own is 405 with Allow, every other path 404, whatever the method', {
    timeout: 120_000,
  }, async ({ server }) => {
    const known = await askAll(
      server.port,
      PATHS.map(({ path }) => path),
    )
    const unknown = await askAll(server.port, UNKNOWN)

    const refused = known.filter(({ path, method }) => {
      const allowed = PATHS.find((one) => one.path === path)?.allow ?? []
      return !allowed.includes(method) && method !== 'CONNECT'
    })
    const allowOf = (path: string) => PATHS.find((one) => one.path === path)?.allow.join(', ')
    expect(refused.length).toBeGreaterThan(150)
    expect(
      refused.filter(({ path, answer }) => summary(answer) !== `405 ${allowOf(path)}`),
    ).toEqual([])
    expect(
      [...known, ...unknown].filter(
        ({ method, answer }) => method === 'CONNECT' && answer !== 'closed',
      ),
    ).toEqual([])
    const missing = unknown.filter(({ method }) => method !== 'CONNECT')
    expect(missing.filter(({ answer }) => summary(answer) !== '404')).toEqual([])
  })

  test('HEAD answers as GET does, without its body', async ({ server }) => {
    const get = await ask(server.port, 'GET', '/hello')
    const head = await ask(server.port, 'HEAD', '/hello')
    const endless = await ask(server.port, 'HEAD', '/export')

    if (get === 'closed' || head === 'closed' || endless === 'closed') throw new Error('no answer')
    expect(head.status).toBe(200)
    expect(head.body).toBe('')
    expect(head.headers.get('content-length')).toBe(get.headers.get('content-length'))
    expect([endless.status, endless.body]).toEqual([200, ''])
  })

  test('an address in absolute form and an escaped letter reach the same route', async ({
    server,
  }) => {
    const absolute = await raw(
      server.port,
      'GET http://a/hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    )
    const escaped = await raw(
      server.port,
      'GET /h%65llo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    )

    expect([absolute.status, escaped.status]).toEqual([200, 200])
  })
})

describe('answers', () => {
  const SAMPLES = [
    {
      what: '200',
      send: 'GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      status: 200,
    },
    {
      what: '204',
      send: 'DELETE /photos/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      status: 204,
    },
    {
      what: '400 by the parser',
      send: 'GET /hello HTTP/1.1\r\nHost: a\r\nBad Header: 1\r\n\r\n',
      status: 400,
    },
    {
      what: '401',
      send: 'GET /mine HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      status: 401,
    },
    {
      what: '403',
      send: 'GET /theirs HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer user-token\r\n\r\n',
      status: 403,
    },
    {
      what: '404',
      send: 'GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      status: 404,
    },
    {
      what: '405',
      send: 'DELETE /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      status: 405,
    },
    {
      what: '406',
      send: 'GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept: image/png\r\n\r\n',
      status: 406,
    },
    {
      what: '408',
      send: 'POST /quick HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{',
      status: 408,
    },
    {
      what: '413',
      send: 'POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n{',
      status: 413,
    },
    {
      what: '414',
      send: `GET /${'a'.repeat(2048)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      status: 414,
    },
    {
      what: '415',
      send: 'POST /login HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}',
      status: 415,
    },
    {
      what: '429',
      send: 'GET /limited HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      status: 429,
    },
    {
      what: '431',
      send: `GET /hello HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\nConnection: close\r\n\r\n`,
      status: 431,
    },
    { what: '500', send: json(GOOD).replace('/login', '/fail'), status: 500 },
    {
      what: '503',
      send: 'GET /late HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      status: 503,
    },
  ]
  const LEAK = /at .*:\d+:\d+|node_modules|\/shared\/|\/functions\/|correct horse|SyntaxError|HPE_/

  test('HTTP-03 every refusal is problem+json of one shape that shows nothing of the inside', async ({
    server,
  }) => {
    const answers = await Promise.all(
      SAMPLES.filter(({ status }) => status >= 400).map(({ send }) => raw(server.port, send)),
    )

    const problems = answers.map((answer) => ({ ...members(answer.body), answer }))
    for (const { answer, ...problem } of problems) {
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      expect(answer.text).not.toMatch(LEAK)
      expect(problem).toEqual({
        type: expect.stringMatching(/^urn:wowmedia:problem:[a-z_]+$/),
        title: expect.stringMatching(/./),
        status: answer.status,
        code: expect.stringMatching(/^[a-z_]+$/),
        detail: expect.stringMatching(/./),
        message: members(answer.body)['detail'],
        request_id: answer.headers.get('x-request-id'),
        retryable: expect.any(Boolean),
        sign_in_again: expect.any(Boolean),
      })
    }
  })

  test('each refusal has the headers that its status asks for', async ({ server }) => {
    const byWhat = async (what: string) =>
      await raw(server.port, SAMPLES.find((one) => one.what === what)?.send ?? '')

    expect((await byWhat('401')).headers.get('www-authenticate')).toBe('Bearer realm="Wowmedia"')
    const limited = (await byWhat('429')).headers
    expect([limited.get('retry-after'), limited.get('ratelimit')]).toEqual([
      '12',
      '"upload";r=0;t=12',
    ])
    expect((await byWhat('503')).headers.get('retry-after')).toBe('2')
  })

  test('HTTP-04 success, refusal and parser error carry the same protecting headers', async ({
    server,
  }) => {
    const answers = await Promise.all(
      SAMPLES.map(async ({ what, send, status }) => ({
        what,
        status,
        answer: await raw(server.port, send),
      })),
    )

    for (const { what, status, answer } of answers) {
      expect({ what, status: answer.status }).toEqual({ what, status })
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'referrer-policy': 'no-referrer',
        'x-request-id': expect.stringMatching(/^[A-Za-z0-9-]{8,64}$/),
      })
      const names = [...answer.headers.keys()]
      expect(
        names.filter((name) =>
          /^(x-powered-by|server|x-google-status|strict-transport-security)$/.test(name),
        ),
      ).toEqual([])
    }
  })

  test('a page brings its own policy and may be cached', async ({ server }) => {
    const page = await raw(
      server.port,
      'GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept: text/html,*/*;q=0.8\r\n\r\n',
    )

    expect(page.headers.get('content-security-policy')).toBe("default-src 'self'")
    expect(page.headers.get('cache-control')).toBe('public, max-age=300')
  })
})

describe('queries', () => {
  test('HTTP-07 a parameter that is unknown, repeated or out of bounds is 400', async ({
    server,
  }) => {
    const queries = [
      'page_size=1&page_size=2',
      'page_size[]=1',
      'page_size=-1',
      'page_size=1e9',
      'page_size=101',
      'page_size=',
      'page_size',
      'limit=1',
      'access_token=abc',
      'page_size=%zz',
      '%ff=1',
    ]
    const answers = await Promise.all(
      queries.map(async (query) => ({
        query,
        answer: await fetch(`${server.url}/hello?${query}`),
      })),
    )
    const good = await fetch(`${server.url}/hello?page_size=7`)
    const elsewhere = await fetch(`${server.url}/mine?access_token=user-token`, {
      headers: { authorization: 'Bearer user-token' },
    })

    expect(answers.filter(({ answer }) => answer.status !== 400).map(({ query }) => query)).toEqual(
      [],
    )
    expect(await good.json()).toEqual({ page_size: 7 })
    expect(elsewhere.status).toBe(400)
  })

  test('the refused field is named, its value is not', async ({ server }) => {
    const problem = members(await (await fetch(`${server.url}/hello?page_size=31337`)).text())

    expect(problem['errors']).toEqual([
      { field: 'page_size', message: 'must be a whole number from 1 to 100' },
    ])
    expect(JSON.stringify(problem)).not.toContain('31337')
  })
})
