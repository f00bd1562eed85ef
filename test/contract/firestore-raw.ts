import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type ChannelOptions, Client, credentials, status } from '@grpc/grpc-js'
import protobuf from 'protobufjs'

/*
 * A bare gRPC client on Google's own message definitions: no retries, no checks of its own, so that a
 * test can send what the SDK would refuse and see the very code that comes back.
 */
const require = createRequire(import.meta.url)
const definitions: unknown = JSON.parse(
  readFileSync(
    join(dirname(require.resolve('@google-cloud/firestore')), '../protos/v1.json'),
    'utf8',
  ),
)

function isNamespace(value: unknown): value is protobuf.INamespace {
  return typeof value === 'object' && value !== null && 'nested' in value
}

if (!isNamespace(definitions)) throw new Error('The Firestore package has no v1.json.')
const root = protobuf.Root.fromJSON(definitions)
const service = root.lookupService('google.firestore.v1.Firestore')

/** A message as protobufjs reads it: camelCase names, int64 as strings, bytes as Buffer. */
export type Message = Record<string, unknown>

export type Raw = {
  /** One call; all messages that came back. Rejects with `code` set. */
  call(method: string, request: Message, deadlineMs?: number): Promise<Message[]>
  /** The same with the request's bytes as they are. */
  send(method: string, bytes: Buffer, deadlineMs?: number): Promise<Message[]>
  close(): void
}

function typesOf(method: string): { request: protobuf.Type; response: protobuf.Type } {
  const found = service.methods[method]
  if (found === undefined) throw new Error(`There is no method ${method}.`)
  return {
    request: root.lookupType(`google.firestore.v1.${found.requestType}`),
    response: root.lookup(found.responseType, protobuf.Type)
      ? root.lookupType(found.responseType)
      : root.lookupType(`google.firestore.v1.${found.responseType}`),
  }
}

export function openRaw(host: string, options: ChannelOptions = {}): Raw {
  const client = new Client(host, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    ...options,
  })
  const send: Raw['send'] = async (method, bytes, deadlineMs = 150_000) => {
    const { response } = typesOf(method)
    const messages: Message[] = []
    const stream = client.makeServerStreamRequest(
      `/google.firestore.v1.Firestore/${method}`,
      (value: Buffer) => value,
      (buffer: Buffer): Message =>
        response.toObject(response.decode(buffer), { longs: String, enums: String, bytes: Buffer }),
      bytes,
      { deadline: Date.now() + deadlineMs },
    )
    const { promise, resolve, reject } = Promise.withResolvers<Message[]>()
    stream.on('data', (message: Message) => messages.push(message))
    stream.on('error', reject)
    stream.on('end', () => resolve(messages))
    return promise
  }
  return {
    send,
    call: (method, request, deadlineMs) => {
      const type = typesOf(method).request
      return send(method, Buffer.from(type.encode(type.fromObject(request)).finish()), deadlineMs)
    },
    close: () => client.close(),
  }
}

/** The name of the status a call ends with; `SDK` where the client library itself refused. */
export async function code(work: Promise<unknown> | (() => Promise<unknown>)): Promise<string> {
  try {
    await (typeof work === 'function' ? work() : work)
    return 'OK'
  } catch (error) {
    if (typeof error !== 'object' || error === null || !('code' in error)) return 'SDK'
    return typeof error.code === 'number' ? (status[error.code] ?? String(error.code)) : 'SDK'
  }
}
