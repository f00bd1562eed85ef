/** Every request from its head to its log line: method, path, headers, token, query, body, handler, answer (UP-01). */
import type { ProblemCode, ProblemError } from '../domain/problem.ts'
import { accepts } from './accept.ts'
import { callerOf } from './access.ts'
import { bearerOf } from './bearer.ts'
import { openBody } from './body-stream.ts'
import { clientAddress, displayNetwork } from './client-address.ts'
import { idempotencyKeyOf, MAX_JSON_BYTES, refuseContent } from './content.ts'
import { corsHeaders, preflightHeaders } from './cors.ts'
import type { ClientAddress, SecurityEvent } from './endpoint.ts'
import { CLIENT_GONE_STATUS, ClientGone, type Exchange } from './exchange.ts'
import { readJsonBody } from './json-body.ts'
import { type Log, type LogEntry, stackOf } from './log.ts'
import type { OpenBody } from './photo-body.ts'
import { asProblem, problemForm, problemReply } from './problem.ts'
import { readQuery } from './query.ts'
import { sendReply, standingHeaders } from './reply.ts'
import { refuseHead } from './request-head.ts'
import type { Binding, Found, Routing } from './routing.ts'
import { Seats } from './seats.ts'

const DEADLINE_MS = 15_000

export type PipelineOptions = {
  readonly routing: Routing
  readonly log: Log
  readonly deployed: boolean
  readonly proxyHops: number
  readonly corsOrigins: readonly string[]
  readonly publicUrl: () => string | undefined
}

/** Runs work where the framework wants it to run; itself outside of it. */
export type Enter = <T>(work: () => T) => T
/** Leads a request through what the framework does before a handler. */
export type Delegate = (exchange: Exchange) => Promise<Enter>

/** What became of a request so far. */
type State = {
  binding?: Binding
  leave?: () => void
  work?: Promise<unknown>
  code?: ProblemCode | undefined
}

/** Trace id of `X-Cloud-Trace-Context` or `traceparent`. */
function traceOf(exchange: Exchange): string | undefined {
  const cloud = exchange.head.header('x-cloud-trace-context') ?? ''
  const standard = exchange.head.header('traceparent') ?? ''
  const found = /^([0-9a-f]{32})\b/i.exec(cloud) ?? /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(standard)
  return found?.[1]?.toLowerCase()
}

export class Pipeline {
  readonly #options: PipelineOptions
  readonly #seats = new Seats()

  constructor(options: PipelineOptions) {
    this.#options = options
  }

  /** Serves one request; settles when it is answered and its handler has ended. Never rejects. */
  async serve(exchange: Exchange, delegate: Delegate): Promise<void> {
    this.#prepare(exchange)
    const state: State = {}
    try {
      const found = await this.#admit(exchange)
      if (found === undefined) return
      state.binding = found.binding
      state.leave = this.#seats.take(found.binding.functionName)
      exchange.limit(found.binding.route.deadlineMs ?? DEADLINE_MS)
      const enter = await delegate(exchange)
      const work = enter(() => this.#answer(exchange, found))
      state.work = work
      await Promise.race([work, exchange.aborted])
    } catch (thrown) {
      state.code = await this.#refuse(exchange, thrown, state.binding)
    } finally {
      this.#logRequest(exchange, state.binding, state.code)
      await state.work?.catch(() => undefined)
      state.leave?.()
    }
  }

  #prepare(exchange: Exchange): void {
    const { deployed, corsOrigins } = this.#options
    const standing = standingHeaders(exchange.id, deployed)
    const cors = corsHeaders(corsOrigins, exchange.head.header('origin'))
    for (const [name, value] of Object.entries({ ...standing, ...cors })) {
      exchange.response.setHeader(name, value)
    }
  }

  /** Method, path and headers; undefined where that already answered it. */
  async #admit(exchange: Exchange): Promise<Found | undefined> {
    const { head, request } = exchange
    refuseHead(request)
    const method = request.method ?? ''
    if (method === 'OPTIONS') {
      const allow = this.#options.routing.allow(head.path)
      const origin = head.header('origin')
      const preflight = preflightHeaders(this.#options.corsOrigins, origin, allow)
      await exchange.send({ status: 204, headers: { Allow: allow, ...preflight } }, undefined)
      return undefined
    }
    const found = this.#options.routing.find(method, head.path)
    refuseContent(head, found.binding.route.body)
    return found
  }

  async #answer(exchange: Exchange, { binding, params }: Found): Promise<void> {
    const { head, signal, now, id } = exchange
    const { route } = binding
    const address = this.#addressOf(exchange)
    const event = this.#eventsOf(exchange, address)
    const bearer = bearerOf(head.header('authorization'))
    if (bearer !== undefined && bearer !== '') exchange.secrets.add(bearer)
    const caller = await callerOf(binding, bearer, { now, address, signal, event })
    exchange.userId = caller?.userId
    const query = readQuery(route.query, head.queryText)
    const idempotencyKey = route.idempotent ? idempotencyKeyOf(head) : undefined
    const body = await bodyOf(exchange, binding)
    const reply = await binding.handle({
      id,
      now,
      address,
      signal,
      publicUrl: this.#options.publicUrl(),
      params,
      query,
      body,
      bearer,
      caller,
      idempotencyKey,
      accepts: (offered) => accepts(head.header('accept'), offered),
      event,
    })
    signal.throwIfAborted()
    await sendReply(exchange, reply)
  }

  #addressOf(exchange: Exchange): ClientAddress {
    const forwarded = exchange.head.header('x-forwarded-for') ?? ''
    const { remoteAddress } = exchange.request.socket
    return clientAddress(forwarded, remoteAddress, this.#options.proxyHops)
  }

  #eventsOf(exchange: Exchange, address: ClientAddress): SecurityEvent {
    return (event, fields = {}, severity = 'INFO') =>
      this.#options.log({
        ...this.#entryOf(exchange),
        severity,
        event,
        message: event,
        fields: { ...fields, network: displayNetwork(address) },
      })
  }

  #entryOf(exchange: Exchange): Pick<LogEntry, 'requestId' | 'traceId'> {
    return { requestId: exchange.id, traceId: traceOf(exchange) }
  }

  /** Answers with the problem, if an answer is still possible; the code for the log. */
  async #refuse(exchange: Exchange, thrown: unknown, binding: Binding | undefined) {
    if (thrown instanceof ClientGone) return undefined
    const problem = asProblem(thrown)
    if (problemForm(problem.code).status >= 500) this.#logFailure(exchange, problem, binding)
    const reply = problemReply(problem, exchange.id)
    // What breaks amid a streamed answer can only be told by cutting it.
    if (exchange.response.headersSent && !exchange.delivered) exchange.response.destroy()
    await exchange.send(reply, reply.content)
    return problem.code
  }

  #logFailure(exchange: Exchange, problem: ProblemError, binding: Binding | undefined): void {
    // What was refused on purpose has no trace worth reading; its own line says it.
    if (problem.cause === undefined && problem.code !== 'internal') return
    const cause = problem.cause ?? problem
    this.#options.log({
      ...this.#entryOf(exchange),
      severity: problem.code === 'internal' ? 'ERROR' : 'WARNING',
      event: problem.code,
      message: `${binding?.functionName ?? 'a request'} failed: ${problem.code}`,
      fields: { stack: stackOf(cause, [...exchange.secrets]) },
    })
  }

  #logRequest(
    exchange: Exchange,
    binding: Binding | undefined,
    code: ProblemCode | undefined,
  ): void {
    const { request, response, head } = exchange
    const failed = code === undefined ? CLIENT_GONE_STATUS : problemForm(code).status
    const status = exchange.delivered ? response.statusCode : failed
    const method = request.method ?? ''
    this.#options.log({
      ...this.#entryOf(exchange),
      severity: status >= 500 ? 'ERROR' : 'INFO',
      event: 'request',
      message: `${method} ${head.path} ${status}`,
      request: {
        function: binding?.functionName,
        method,
        path: head.path,
        status,
        milliseconds: performance.now() - exchange.startedAt,
        userAgent: head.header('user-agent'),
        code,
        userId: exchange.userId,
      },
    })
  }
}

async function bodyOf(exchange: Exchange, { route, receivePhoto }: Binding): Promise<unknown> {
  const { head, signal } = exchange
  const open: OpenBody = (limits) => {
    exchange.wantBody()
    const body = openBody(exchange.request, { ...limits, signal })
    body.once('close', () => {
      exchange.readingBody = false
    })
    return body
  }
  if (route.body?.kind === 'photo') {
    if (receivePhoto === undefined)
      throw new Error('a route with photos is served without receivePhoto')
    return receivePhoto(route.body, head, open)
  }
  if (route.body?.kind !== 'json') return undefined
  return await readJsonBody(route.body, {
    contentType: head.header('content-type'),
    open: () => open({ maxBytes: MAX_JSON_BYTES, tooLarge: 'body_too_large' }),
    keepSecret: (texts) => {
      for (const text of texts) if (text.length > 3) exchange.secrets.add(text)
    },
  })
}
