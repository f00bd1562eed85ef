/** The Postman collection (format 2.1) from the endpoints and the order in `postman-flow.ts`. */
import type { Endpoint, Route } from '../../shared/http/endpoint.ts'
import { FLOW, type Step } from './postman-flow.ts'

type Part = Readonly<Record<string, unknown>>

/** What the file pickers hold at first; newman finds it from the root of the repository. */
export const SAMPLE_PHOTO = 'test/image/fixtures/camera-iphone-4s.jpg'

/** Path parameter `{id}` by the first segment of its path. */
const ID_VARIABLE: ReadonlyMap<string, string> = new Map([
  ['photos', 'photo_id'],
  ['uploads', 'upload_id'],
  ['sessions', 'session_id'],
])

function urlOf(path: string, query: Step['query']): Part {
  const first = path.split('/')[1] ?? ''
  const filled = path.replace('{id}', `{{${ID_VARIABLE.get(first) ?? 'id'}}}`)
  const pairs = Object.entries(query ?? {}).map(([key, value]) => ({ key, value }))
  const search = pairs.map(({ key, value }) => `${key}=${value}`).join('&')
  return {
    raw: `{{base_url}}${filled}${search === '' ? '' : `?${search}`}`,
    host: ['{{base_url}}'],
    path: filled.split('/').slice(1),
    ...(pairs.length === 0 ? {} : { query: pairs }),
  }
}

function checks(step: Step): readonly string[] {
  const kept = Object.entries(step.keep ?? {}).map(
    ([variable, path]) => `pm.collectionVariables.set('${variable}', pm.response.json().${path});`,
  )
  return [
    `pm.test('answers ${step.expected.join(' or ')}', () => pm.expect(pm.response.code).to.be.oneOf([${step.expected.join(', ')}]));`,
    ...(step.expected.includes(204) || typeof step.route !== 'string'
      ? []
      : [
          "pm.test('is JSON', () => pm.expect(pm.response.headers.get('Content-Type')).to.include('json'));",
        ]),
    ...(kept.length === 0 ? [] : [`if (pm.response.code < 300) { ${kept.join(' ')} }`]),
  ]
}

function eventsOf(step: Step): readonly Part[] {
  const script = (exec: readonly string[]) => ({ type: 'text/javascript', exec })
  const test = { listen: 'test', script: script(checks(step)) }
  return step.before === undefined
    ? [test]
    : [{ listen: 'prerequest', script: script(step.before) }, test]
}

function jsonText(json: Part): string {
  return JSON.stringify(json, null, 2).replace('"{{photo_bytes}}"', '{{photo_bytes}}')
}

function bodyOf(step: Step): Part {
  if (step.json !== undefined) {
    const raw = jsonText(step.json)
    return { body: { mode: 'raw', raw, options: { raw: { language: 'json' } } } }
  }
  if (step.file === 'body') return { body: { mode: 'file', file: { src: SAMPLE_PHOTO } } }
  if (step.file === undefined) return {}
  return {
    body: { mode: 'formdata', formdata: [{ key: 'file', type: 'file', src: SAMPLE_PHOTO }] },
  }
}

function authOf(step: Step, route: Route | undefined): Part {
  const token = step.token ?? (route?.access === 'anyone' ? undefined : '{{access_token}}')
  const signsOut = step.route === 'POST /logout/access' ? '{{access_token}}' : token
  if (signsOut === undefined || route === undefined) return { auth: { type: 'noauth' } }
  return { auth: { type: 'bearer', bearer: [{ key: 'token', value: signsOut, type: 'string' }] } }
}

function headerList(step: Step): readonly Part[] {
  const json = step.json === undefined ? {} : { 'Content-Type': 'application/json' }
  return Object.entries({ ...json, ...step.headers }).map(([key, value]) => ({ key, value }))
}

function itemOf(step: Step, routes: ReadonlyMap<string, Route>): Part {
  const target = step.route
  const route = typeof target === 'string' ? routes.get(target) : undefined
  if (typeof target === 'string' && route === undefined) throw new RangeError(`no route ${target}`)
  const [method, path] = typeof target === 'string' ? target.split(' ') : [target.method, '']
  const url = typeof target === 'string' ? urlOf(path ?? '', step.query) : `{{${target.variable}}}`
  return {
    name: step.name,
    event: eventsOf(step),
    request: {
      method,
      header: headerList(step),
      url,
      ...authOf(step, route),
      ...bodyOf(step),
      ...(route === undefined ? {} : { description: route.description ?? route.summary }),
    },
    response: [],
  }
}

/** The collection; throws where the flow names a route that is not there, so that the two stay together. */
export function postmanCollection(endpoints: readonly Endpoint[]): Part {
  const routes = new Map(endpoints.flatMap((endpoint) => Object.entries(endpoint.routes)))
  const folders = Map.groupBy(FLOW, ({ folder }) => folder)
  return {
    info: {
      _postman_id: '5c5f3ad4-6a0b-4b59-9d8a-0d5a1f0e7b11',
      name: 'Wowmedia',
      description:
        'Sign-up, sign-in and photo upload. Run it from top to bottom; each request keeps what the next one needs. Choose a photo in "Upload a photo" and "Send its bytes to the bucket".',
      schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
    },
    item: [...folders].map(([name, steps]) => ({
      name,
      item: steps.map((step) => itemOf(step, routes)),
    })),
    variable: [
      { key: 'username', value: 'kartik' },
      ...[
        'access_token',
        'refresh_token',
        'photo_id',
        'session_id',
        'upload_id',
        'upload_url',
        'content_url',
      ].map((key) => ({ key, value: '' })),
    ],
  }
}

/** The environment that goes with it: where the server is, a password, and the size of the photo to send. */
export function postmanEnvironment(photoBytes: number): Part {
  const value = (key: string, text: string) => ({
    key,
    value: text,
    type: 'default',
    enabled: true,
  })
  return {
    id: '0d2c7f2e-6d2b-4a41-8f0e-7c1f5a3b9e42',
    name: 'Wowmedia local',
    values: [
      value('base_url', 'http://127.0.0.1:8080'),
      value('password', 'a long enough secret'),
      value('photo_bytes', String(photoBytes)),
    ],
    _postman_variable_scope: 'environment',
  }
}

/** Routes that the flow leaves out; the generator refuses any but files of the console. */
export function missingFromFlow(endpoints: readonly Endpoint[]): readonly string[] {
  const used = new Set(FLOW.map(({ route }) => route))
  const all = endpoints.flatMap((endpoint) => Object.keys(endpoint.routes))
  return all.filter((key) => ![...used].some((route) => route === key))
}
