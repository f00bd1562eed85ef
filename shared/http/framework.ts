/**
 * Takes the Functions Framework's place between socket and handler (security §4): its server is made by us, its body
 * parsers see no body, its process listeners go. The framework's app still leads each request to the function, so that
 * its execution ids work.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { exitWithLine } from '../config.ts'
import type { Delegate, Enter } from './pipeline.ts'

/** The version whose inner workings this file relies on. */
const VERSION = '5.0.5'
const SIGNALS_AND_ERRORS = ['SIGTERM', 'SIGINT', 'uncaughtException', 'unhandledRejection']
/** Belongs to Node's `domain`, which adds it again with every listener. */
const DOMAIN_LISTENER = 'domainUncaughtExceptionClear'

export type FrameworkApp = (request: IncomingMessage, response: ServerResponse) => void

function frameworkFile(name: string): string | undefined {
  const loaded = Object.keys(createRequire(join(process.cwd(), 'any.js')).cache)
  return loaded.find((path) =>
    path.replaceAll('\\', '/').endsWith(`/functions-framework/build/src/${name}`),
  )
}

/** True in the process that `functions-framework --target=NAME` started. */
function underFramework(): boolean {
  return frameworkFile('main.js') !== undefined
}

function versionIn(manifest: string): string | undefined {
  const parsed: unknown = JSON.parse(manifest)
  const isManifest = typeof parsed === 'object' && parsed !== null && 'version' in parsed
  return isManifest && typeof parsed.version === 'string' ? parsed.version : undefined
}

function checkVersion(serverFile: string): void {
  const version = versionIn(readFileSync(join(serverFile, '../../../package.json'), 'utf8'))
  if (version !== VERSION) {
    exitWithLine(
      `functions-framework ${version} was started, but ${VERSION} is needed: its server is replaced in parts`,
    )
  }
}

function isExpressApp(value: unknown): value is FrameworkApp {
  return typeof value === 'function' && 'handle' in value && 'set' in value
}

let armed = false

/**
 * From now on the server that the framework makes is the one that `adopt` returns. Ends the process where the framework
 * has another version, or listens with a server that did not come from here (SUP-01).
 */
export function takeOverFramework(adopt: (app: FrameworkApp) => Server): void {
  if (armed) return
  armed = true
  if (underFramework()) leaveDomainsOut()
  const serverFile = frameworkFile('server.js')
  if (serverFile !== undefined) checkVersion(serverFile)
  const original = http.createServer
  const replacement = (...parts: unknown[]): unknown => {
    const app = parts.findLast((part) => typeof part === 'function')
    if (!isExpressApp(app)) return Reflect.apply(original, http, parts)
    Object.assign(http, { createServer: original })
    unsubscribe(LISTEN_CHANNEL, refuseForeignServer)
    return adopt(app)
  }
  Object.assign(http, { createServer: replacement })
  if (underFramework()) subscribe(LISTEN_CHANNEL, refuseForeignServer)
}

/**
 * The framework makes a `domain` for each request, only to answer for a handler that throws, and ours never does. The
 * first one switches hooks on for every promise of the process, which took a quarter of the time of a read.
 */
function leaveDomainsOut(): void {
  const domains: unknown = process.getBuiltinModule('node:domain')
  const none = { on: () => none, run: (work: () => unknown) => work() }
  Object.assign(Object(domains), { create: () => none })
}

const LISTEN_CHANNEL = 'tracing:net.server.listen:asyncStart'
function refuseForeignServer(): void {
  exitWithLine('the server of functions-framework was not replaced: nothing is served')
}

const waiting = new WeakMap<IncomingMessage, (enter: Enter) => void>()

/**
 * Leads a request with an unread body through the framework's app: its parsers look at these two headers only, and its
 * ignored routes at the address. What follows runs in the framework's async context.
 */
export function throughFramework(app: FrameworkApp): Delegate {
  return ({ request, response }) =>
    new Promise((resolve) => {
      const { url } = request
      waiting.set(request, (enter) => {
        if (url !== undefined) request.url = url
        resolve(enter)
      })
      delete request.headers['content-length']
      delete request.headers['transfer-encoding']
      request.url = '/'
      app(request, response)
    })
}

/** The function that the framework knows: says that a request has come through. */
export function arriveAtFunction(request: IncomingMessage): void {
  waiting.get(request)?.(AsyncLocalStorage.snapshot())
}

type Listener = (...parts: unknown[]) => void
const processEvents: NodeJS.EventEmitter = process

function listenersOf(event: string): readonly Listener[] {
  return processEvents.listeners(event).filter((one): one is Listener => typeof one === 'function')
}

type Added = { readonly event: string; readonly listener: Listener }
let exitListeners: readonly Added[] = []

/** Takes every process listener away that is added while `server` starts to listen; says how many. */
export function removeFrameworkListeners(server: Server, removed: (count: number) => void): void {
  server.once('listening', () => {
    const events = [...SIGNALS_AND_ERRORS, 'exit']
    const before = new Map(events.map((event) => [event, listenersOf(event)]))
    process.nextTick(() => {
      const added: readonly Added[] = events.flatMap((event) =>
        listenersOf(event)
          .filter((one) => !before.get(event)?.includes(one) && one.name !== DOMAIN_LISTENER)
          .map((listener) => ({ event, listener })),
      )
      exitListeners = added.filter(({ event }) => event === 'exit')
      const toReplace = added.filter(({ event }) => event !== 'exit')
      for (const { event, listener } of toReplace) processEvents.off(event, listener)
      removed(toReplace.length)
    })
  })
}

/** The framework's `exit` listener prints a stack in its own form unless the code is 0; called before such an exit. */
export function silenceFrameworkExit(): void {
  for (const { event, listener } of exitListeners) processEvents.off(event, listener)
}
