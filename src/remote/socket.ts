import { readSettings } from '../settings.ts';
import type { HomePaths } from '../system/home.ts';

/** Where the socket of a home's daemon is, as its settings say. @throws as {@link readSettings} */
export async function socketOf(paths: HomePaths): Promise<string> {
  const { daemon } = await readSettings(paths.settingsFile);
  return daemon?.socket ?? paths.socket;
}
