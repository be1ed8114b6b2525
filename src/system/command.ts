/**
 * Runs a command of the operator's with a text on its standard input. The command is a program and its arguments, never a shell line.
 *
 * @throws {@link Error} when it cannot be started, fails, or takes longer than `timeoutMs`; the message names the reason.
 */
export async function runCommand(
  command: readonly string[],
  input: string,
  timeoutMs: number,
): Promise<void> {
  const [program, ...args] = command;
  if (program === undefined) throw new Error('the command is empty');
  // Loaded where it is needed only: most processes have nothing to tell anybody.
  const { spawn } = await import('node:child_process');
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'ignore', 'ignore'],
      timeout: timeoutMs,
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${program} ended with ${signal ?? `code ${String(code)}`}`));
    });
    // A command that does not read its input is no failure.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
