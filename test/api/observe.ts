/** One call whose answer is held against the API description. */
import { type Description, type Members, members, type Observed } from './description.ts'

export type Sent = {
  readonly token?: string | undefined
  readonly json?: unknown
  readonly body?: Uint8Array<ArrayBuffer> | FormData | string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

export type Answer = Observed & {
  readonly body: Members
  /** What of it is not described. */
  readonly complaints: readonly string[]
}

function isJson(headers: Headers): boolean {
  return /json/.test(headers.get('content-type') ?? '')
}

/** Sends `METHOD /path` as the operation `key`, redirects not followed. */
export async function observe(
  api: { readonly url: string; readonly description: Description },
  key: string,
  path: string,
  sent: Sent = {},
): Promise<Answer> {
  const [method = ''] = key.split(' ')
  const content = sent.json === undefined ? sent.body : JSON.stringify(sent.json)
  const response = await fetch(`${api.url}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(sent.token === undefined ? {} : { authorization: `Bearer ${sent.token}` }),
      ...(sent.json === undefined ? {} : { 'content-type': 'application/json' }),
      ...sent.headers,
    },
    ...(content === undefined ? {} : { body: content }),
  })
  const { status, headers } = response
  const text = await response.text()
  const body = isJson(headers) ? members(JSON.parse(text)) : {}
  const complaints = api.description.complaints(key, { status, headers, text })
  return { status, headers, text, body, complaints }
}
