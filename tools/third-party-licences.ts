import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** As much of a built file as this step needs. */
interface Chunk {
  readonly type: string;
  readonly moduleIds?: readonly string[];
}

/** Writes the licences of all npm packages that a build copied to THIRD_PARTY_LICENSES.txt beside its result, which `holder` names. */
export function writeLicences(chunks: readonly Chunk[], outDir: string, holder: string): void {
  const modules = chunks.flatMap((chunk) => chunk.moduleIds ?? []);
  const folders = new Set(modules.map(packageFolder).filter((folder) => folder !== undefined));
  const notices = [...folders].sort().map(notice);
  writeFileSync(
    path.join(outDir, 'THIRD_PARTY_LICENSES.txt'),
    [`${holder} holds code of these packages.`, ...notices].join(`\n\n${'-'.repeat(80)}\n\n`),
  );
}

/** The folder of the npm package that a module belongs to; undefined for our own. */
function packageFolder(module: string): string | undefined {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(module.replaceAll('\\', '/'))?.[0];
}

function notice(folder: string): string {
  const { name, version, license } = JSON.parse(
    readFileSync(path.join(folder, 'package.json'), 'utf8'),
  );
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} carries no licence file`);
  return `${name} ${version} (${license})\n\n${readFileSync(path.join(folder, file), 'utf8').trim()}`;
}
