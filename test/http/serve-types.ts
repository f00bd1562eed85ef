/** What `serve` must not accept; checked by the compiler alone, since importing `serve` would register functions. */
import { defineEndpoint, type Identify, type Reply } from '../../shared/http/endpoint.ts'
import type { receivePhoto } from '../../shared/http/photo-body.ts'
import type { serve } from '../../shared/http/serve.ts'

const route = { summary: 'types', replies: {}, problems: [] } as const
const open = defineEndpoint({ name: 'open', routes: { 'GET /': { ...route, access: 'anyone' } } })
const mixed = defineEndpoint({
  name: 'mixed',
  routes: {
    'GET /': { ...route, access: 'anyone' },
    'POST /': { ...route, access: 'user', body: { kind: 'photo', maxBytes: 1 } },
  },
})

/** Compiled, never run. */
export function typesOf(
  register: typeof serve,
  identify: Identify,
  receive: typeof receivePhoto,
  reply: () => Promise<Reply>,
): void {
  register(open, { 'GET /': reply })
  register(mixed, { 'GET /': reply, 'POST /': reply }, { identify, receivePhoto: receive })
  // @ts-expect-error a route with a caller needs identify
  register(mixed, { 'GET /': reply, 'POST /': reply }, { receivePhoto: receive })
  // @ts-expect-error a route with a photo needs receivePhoto
  register(mixed, { 'GET /': reply, 'POST /': reply }, { identify })
  // @ts-expect-error every route needs its handler
  register(mixed, { 'GET /': reply }, { identify, receivePhoto: receive })
  // @ts-expect-error no other route is served
  register(open, { 'GET /': reply, 'GET /more': reply })
}
