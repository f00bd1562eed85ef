/** What a handler returned, on its way out (HTTP-04). */
import type { Reply } from './endpoint.ts'
import type { Exchange } from './exchange.ts'

const JSON_TYPE = 'application/json'
const ALL_ANSWERS = {
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
}

/** Headers of every answer, also of those to what the parser refused (HTTP-04). */
export function standingHeaders(requestId: string, deployed: boolean): Record<string, string> {
  const transport = { 'Strict-Transport-Security': 'max-age=31536000; includeSubDomains' }
  return { ...ALL_ANSWERS, 'X-Request-Id': requestId, ...(deployed ? transport : {}) }
}

/** Sends what a handler returned; its headers win over the standing ones. */
export async function sendReply(exchange: Exchange, reply: Reply): Promise<void> {
  const { status, headers = {} } = reply
  if ('chunks' in reply) {
    const head = { status, headers: { 'Content-Type': reply.contentType, ...headers } }
    return await exchange.stream(head, reply.chunks)
  }
  if ('content' in reply) {
    const head = { status, headers: { 'Content-Type': reply.contentType, ...headers } }
    return await exchange.send(head, reply.content)
  }
  if (reply.body === undefined) return await exchange.send({ status, headers }, undefined)
  const head = { status, headers: { 'Content-Type': JSON_TYPE, ...headers } }
  await exchange.send(head, JSON.stringify(reply.body))
}
