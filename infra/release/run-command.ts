/** Runs commands and says plainly why one failed. */
import { spawn } from 'node:child_process'
import { type Command, commandLine } from './command.ts'

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string }
export type Run = (command: Command, input?: string) => Promise<Ran>

/** A command that failed; the message is one line that can be acted on. */
export class CommandError extends Error {}

const HINTS: Readonly<Record<Command['program'], string>> = {
  gcloud: 'gcloud is not installed: https://cloud.google.com/sdk/docs/install',
  npx: 'npx is not installed; it comes with npm',
}

/** Windows runs both through a shell, which takes double quotes. */
function forShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `"${word.replaceAll('"', '\\"')}"`
}

export const runCommand: Run = ({ program, args }, input) => {
  const shell = process.platform === 'win32'
  const { promise, resolve, reject } = Promise.withResolvers<Ran>()
  const child = spawn(program, shell ? args.map(forShell) : [...args], { shell })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.on('error', (error) => {
    const missing = 'code' in error && error.code === 'ENOENT'
    reject(new CommandError(missing ? HINTS[program] : error.message, { cause: error }))
  })
  child.on('close', (code) => resolve({ code: code ?? 1, stdout, stderr }))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input ?? '')
  return promise
}

const LOGIN = /gcloud auth login|Reauthentication|not currently have an active account/
const ERROR_LINE = /^(?:ERROR|Error): (?:\([\w.-]+\) )?(.*)$/m

/** What went wrong, in one line, and what to do about it where that is known. */
export function reasonOf({ stderr, code }: Ran): string {
  if (LOGIN.test(stderr)) return 'not signed in: gcloud auth login'
  const [, line] = ERROR_LINE.exec(stderr) ?? []
  const last = stderr.trim().split(/\r?\n/).at(-1)
  const text = line ?? last ?? ''
  return text === '' ? `ended with ${code}` : text.slice(0, 400)
}

/** Runs the command; its output, or CommandError with command and reason. */
export async function mustRun(run: Run, command: Command, input?: string): Promise<string> {
  const ran = await run(command, input)
  if (ran.code === 0) return ran.stdout
  throw new CommandError(`${reasonOf(ran)}\n  ${commandLine(command)}`)
}
