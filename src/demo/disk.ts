import { joinPath, listFolder, readPrivateFile } from '../system/files.ts';
import { homePaths } from '../system/home.ts';

/**
 * Whether a text can be read in what a home keeps of its connections. The home must be closed: reading a file of a database ends the locks
 * that this process has on it.
 */
export async function isLegibleOnDisk(home: string, text: string): Promise<boolean> {
  const { store } = homePaths(home, {});
  const names = (await listFolder(store)).filter((name) => name.startsWith('evergrant.db'));
  const files = await Promise.all(names.map((name) => readPrivateFile(joinPath(store, name))));
  if (files.length === 0) throw new Error(`${store} holds no database`);
  return files.some((content) => content !== undefined && Buffer.from(content).includes(text));
}
