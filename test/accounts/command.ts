import { startNode } from '../processes.ts'

export type CommandResult = { readonly code: number | null; readonly output: string }

/** Runs `npm run NAME -- ARGS` to its end. */
export async function runCommand(
  name: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<CommandResult> {
  const child = startNode(['infra/run.js', name, ...args], environment)
  const code = await child.ended
  return { code, output: child.output() }
}
