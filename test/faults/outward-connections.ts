/** Preloaded into a process: a line on standard error for every connection or name look-up that leaves the loopback. */

import { subscribe } from 'node:diagnostics_channel'
import dns from 'node:dns'
import net from 'node:net'

const LOOPBACK = /^(127\.|::1$|localhost$)/

function report(what: string): void {
  process.stderr.write(`outward: ${what}\n`)
}

const connect = net.Socket.prototype.connect
net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]) {
  const [options] = Array.isArray(args[0]) ? args[0] : args
  const host =
    typeof options === 'object' && options !== null && 'host' in options
      ? options.host
      : 'localhost'
  if (typeof host === 'string' && !LOOPBACK.test(host)) report(`connect ${host}`)
  return Reflect.apply(connect, this, args)
}
const lookup = dns.lookup
Object.assign(dns, {
  lookup: (name: string, ...rest: unknown[]) => {
    if (!LOOPBACK.test(name)) report(`lookup ${name}`)
    return Reflect.apply(lookup, dns, [name, ...rest])
  },
})
subscribe('net.client.socket', () => undefined)
