import { accessSync, constants, statSync } from 'node:fs';

/** Whether a file lies at a path that this user may run. */
export function canBeRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
