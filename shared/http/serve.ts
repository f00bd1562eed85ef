/** Where a function meets HTTP: registers it with the Functions Framework, and with one server for all (`npm start`). */
import type { Server } from 'node:http'
import * as framework from '@google-cloud/functions-framework'
import { exitWithLine, settings } from '../config.ts'
import type {
  Endpoint,
  Handlers,
  Identify,
  PhotoBody,
  Request,
  Route,
  RouteKey,
  Routes,
} from './endpoint.ts'
import {
  arriveAtFunction,
  type FrameworkApp,
  removeFrameworkListeners,
  silenceFrameworkExit,
  takeOverFramework,
  throughFramework,
} from './framework.ts'
import { CRASH_DRAIN_MS, DRAIN_MS } from './lifecycle.ts'
import { createLog, stackOf } from './log.ts'
import { writeLogLine } from './log-output.ts'
import { type Enter, Pipeline } from './pipeline.ts'
import { type AssembledRequest, type Binding, createRouting, type ReceivePhoto } from './routing.ts'
import { createServing, type Serving } from './server.ts'

const config = settings('HOST', 'K_SERVICE', 'TRUSTED_PROXY_HOPS', 'CORS_ORIGINS', 'PUBLIC_URL')
const deployed = config.K_SERVICE !== ''
const log = createLog({
  deployed,
  project: deployed ? settings('GOOGLE_CLOUD_PROJECT').GOOGLE_CLOUD_PROJECT : undefined,
  colours: process.stdout.isTTY === true,
  write: writeLogLine,
})

/** A function that was imported: its endpoint, and what serves its routes. */
export type Served = { readonly endpoint: Endpoint; readonly bindings: readonly Binding[] }
const served = new Map<string, Served>()

/** Every function that was imported into this process, by name. */
export function servedFunctions(): ReadonlyMap<string, Served> {
  return served
}

type Needs = { readonly identify: Identify; readonly receivePhoto: ReceivePhoto }
/** Of each route the name of what it needs. */
type NeedOf<R extends Route> =
  | (R['access'] extends 'anyone' ? never : 'identify')
  | (R extends { readonly body: PhotoBody } ? 'receivePhoto' : never)
type NeedsOf<R extends Routes> = { [K in keyof R & RouteKey]: NeedOf<R[K]> }[keyof R & RouteKey]
/** Demanded as soon as one route needs it: `identify` where it is not for anyone, `receivePhoto` where it takes a photo. */
type Options<R extends Routes> = [NeedsOf<R>] extends [never]
  ? [options?: Partial<Needs>]
  : [options: Pick<Needs, NeedsOf<R>> & Partial<Needs>]

/**
 * Registers a function under its endpoint's name. Starts nothing: the framework's CLI or `listenForAll` does.
 * A handler returns its Reply or throws a ProblemError; whatever else it throws is answered 500 `internal`.
 */
export function serve<R extends Routes>(
  endpoint: Endpoint<R>,
  handlers: Handlers<R>,
  ...[options]: Options<R>
): void {
  const keys = Object.keys(endpoint.routes).filter((key) => isKeyOf(key, endpoint.routes))
  const bindings = keys.map((key) => bind(endpoint, key, handlers, options ?? {}))
  served.set(endpoint.name, { endpoint, bindings })
  framework.http(endpoint.name, (request) => arriveAtFunction(request))
  takeOverFramework(adoptFramework)
}

function isKeyOf<R extends Routes>(key: string, routes: R): key is keyof R & RouteKey {
  return Object.hasOwn(routes, key)
}

function bind<R extends Routes, K extends keyof R & RouteKey>(
  endpoint: Endpoint<R>,
  key: K,
  handlers: Handlers<R>,
  needs: Partial<Needs>,
): Binding {
  const route: R[K] = endpoint.routes[key]
  const [, method, template = '/'] = /^(GET|POST|PUT|DELETE) (\/.*)$/.exec(key) ?? []
  if (method !== 'GET' && method !== 'POST' && method !== 'PUT' && method !== 'DELETE') {
    throw new TypeError(`${key} is no route`)
  }
  const handler = handlers[key]
  return {
    functionName: endpoint.name,
    method,
    template,
    route,
    identify: needs.identify,
    receivePhoto: needs.receivePhoto,
    handle: async (request) => {
      if (!isRequestOf(route, request)) throw new TypeError(`${key} got a request of another route`)
      return await handler(request)
    },
  }
}

/** What the route declares was read and checked by the pipeline just before. */
function isRequestOf<R extends Route>(
  route: R,
  request: AssembledRequest,
): request is AssembledRequest & Request<R> {
  return route.access === 'anyone' || request.caller !== undefined
}

function openServing(publicUrl: () => string | undefined, app?: FrameworkApp): Serving {
  const bindings = [...served.values()].flatMap((one) => one.bindings)
  const pipeline = new Pipeline({
    routing: createRouting(bindings),
    log,
    deployed,
    proxyHops: config.TRUSTED_PROXY_HOPS,
    corsOrigins: config.CORS_ORIGINS,
    publicUrl,
  })
  const directly: Enter = (work) => work()
  const delegate = app === undefined ? async () => directly : throughFramework(app)
  return createServing({ pipeline, delegate, log, deployed })
}

const configuredUrl = () => (config.PUBLIC_URL === '' ? undefined : config.PUBLIC_URL)

/** How many process listeners framework 5.0.5 adds that are ours to replace. */
const FRAMEWORK_LISTENERS = 4

function adoptFramework(app: FrameworkApp): Server {
  const serving = openServing(configuredUrl, app)
  const { server } = serving
  const listen = server.listen.bind(server)
  Object.assign(server, {
    listen: (port: number | string, callback: () => void) =>
      listen({ port: portOf(port), ...(deployed ? {} : { host: config.HOST }) }, callback),
  })
  server.on('error', (error) => {
    if (!server.listening) exitWithLine(`cannot listen: ${error.message}`)
    logServerError(error)
  })
  removeFrameworkListeners(server, (count) => {
    if (count !== FRAMEWORK_LISTENERS) {
      exitWithLine(
        `functions-framework added ${count} process listeners, not ${FRAMEWORK_LISTENERS}`,
      )
    }
    ownProcess(serving)
    log({
      severity: 'INFO',
      event: 'listening',
      message: `listening on ${addressOf(server).host}:${addressOf(server).port}`,
      fields: { framework_listeners_removed: count },
    })
  })
  return server
}

/** For one, no file descriptor was left for a connection; those that exist go on. */
function logServerError(error: Error): void {
  log({ severity: 'ERROR', event: 'server_error', message: error.message })
}

function portOf(port: number | string): number {
  const number = Number(port)
  if (Number.isInteger(number) && number >= 0 && number <= 65_535) return number
  return exitWithLine('PORT must be a whole number from 0 to 65535')
}

function addressOf(server: Server): { host: string; port: number } {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return { host: address.address, port: address.port }
}

/** Drains on signals (OPS-03) and after what nobody caught (OPS-04). */
function ownProcess({ server, inFlight }: Serving): void {
  const stop = () => {
    if (!inFlight.ending) void inFlight.drain(server, DRAIN_MS).then(() => process.exit(0))
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
  const crash = (thrown: unknown, event: string) => {
    log({
      severity: 'ERROR',
      event,
      message: `${event}: the process ends`,
      fields: { stack: stackOf(thrown, []) },
    })
    if (inFlight.ending) return
    void inFlight.drain(server, CRASH_DRAIN_MS).then(() => {
      silenceFrameworkExit()
      process.exit(1)
    })
  }
  process.on('uncaughtException', (error) => crash(error, 'uncaught_exception'))
  process.on('unhandledRejection', (reason) => crash(reason, 'unhandled_rejection'))
}

export type Listening = {
  readonly host: string
  readonly port: number
  /** Stops accepting and finishes what runs, 8 s at most. */
  close(): Promise<void>
}

/**
 * One HTTP server for every function that was imported, through the same pipeline. `publicUrl` is its own address unless
 * `PUBLIC_URL` is set. Rejects where the port is taken (`EADDRINUSE`).
 */
export async function listenForAll(options: {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
}): Promise<Listening> {
  let own: string | undefined
  const { server, inFlight } = openServing(() => configuredUrl() ?? own)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options, resolve)
  })
  server.on('error', logServerError)
  const { port } = addressOf(server)
  own = `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`
  return { host: options.host, port, close: () => inFlight.drain(server, DRAIN_MS) }
}
