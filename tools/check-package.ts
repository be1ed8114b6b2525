/*
 * Judges the package as its users get it: builds, packs, lints the tarball, installs it in an empty folder and runs every door there.
 * `npm run package` runs it; the first thing that is wrong ends it with one line and exit code 1.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import packageJson from '../package.json' with { type: 'json' };

const limits = { packages: 25, bytes: 15 * 1024 * 1024 };

/** Strings that only the test build may hold: the variables that arm failpoints and sabotage, and what is left of a call to them. */
const testOnly = [/EVERGRANT_FAILPOINT/, /EVERGRANT_SABOTAGE/, /\bsabotaged?\b/, /\bfailpoints?\b/];

const root = path.resolve(import.meta.dirname, '..');
const bin = path.join(root, 'node_modules/.bin');
const scratch = mkdtempSync(path.join(tmpdir(), 'evergrant-package-'));
/** Homes of their own for the commands that are tried. */
const ofEvergrant = { HOME: scratch, EVERGRANT_HOME: path.join(scratch, 'home') };

try {
  run('npm', ['run', '--silent', 'build'], root);
  const tarball = pack();
  run(path.join(bin, 'publint'), ['run', tarball, '--strict'], root);
  run(path.join(bin, 'attw'), [tarball, '--profile', 'esm-only', '--no-emoji'], root);
  checkContents(tarball);
  const installed = install(tarball);
  checkWeight(installed);
  checkDoors(installed);
  await checkDashboard(installed);
  say('the package is sound');
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function pack(): string {
  const [file] = run('npm', ['pack', '--ignore-scripts', '--pack-destination', scratch], root)
    .trim()
    .split('\n')
    .slice(-1);
  return path.join(scratch, String(file));
}

/** Looks for what must not be published, and for source maps of nothing. */
function checkContents(tarball: string): void {
  const unpacked = path.join(scratch, 'unpacked');
  run('mkdir', [unpacked], scratch);
  run('tar', ['-xzf', tarball, '-C', unpacked], scratch);
  const files = filesBelow(path.join(unpacked, 'package'));
  for (const file of files) {
    const name = path.relative(path.join(unpacked, 'package'), file);
    if (/(^|\/)(src|test|tools|bench)\/|\.test\./.test(name))
      throw new Error(`${name} is published`);
    if (name === 'package.json') continue;
    const text = readFileSync(file, 'utf8');
    if (name.endsWith('.md')) {
      checkLinks(name, file, text);
      continue;
    }
    const found = testOnly.find((pattern) => pattern.test(text));
    if (found !== undefined) throw new Error(`${name} holds ${found.source}`);
  }
  checkStart(path.join(unpacked, 'package/dist'));
  checkLicences(path.join(unpacked, 'package/dist'));
  say(`${files.length} files in the tarball, ${lstatSync(tarball).size} bytes`);
}

/** The command line runs when it is loaded, with the arguments of the process: nothing that a program may import leads to it. */
function checkStart(dist: string): void {
  const importers = filesBelow(dist)
    .filter((file) => file.endsWith('.js') && /["'][./]+(?:cli\/)?main\.js["']/.test(read(file)))
    .map((file) => path.relative(dist, file));
  if (importers.length > 0) throw new Error(`${importers.join(', ')} would run the command line`);
}

function read(file: string): string {
  return readFileSync(file, 'utf8');
}

/** What was copied from other packages comes with their licences. */
function checkLicences(dist: string): void {
  const copied = { '.': '@peculiar/x509', dashboard: 'preact' };
  for (const [folder, name] of Object.entries(copied)) {
    const file = path.join(dist, folder, 'THIRD_PARTY_LICENSES.txt');
    if (!existsSync(file)) throw new Error(`${path.relative(dist, file)} is missing`);
    if (!readFileSync(file, 'utf8').includes(`\n${name} `))
      throw new Error(`${path.relative(dist, file)} does not name ${name}`);
  }
}

/** A page in the package leads to nothing that stayed behind. */
function checkLinks(name: string, file: string, text: string): void {
  for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)/g)) {
    if (!existsSync(path.resolve(path.dirname(file), target)))
      throw new Error(`${name} links to ${target}, which is not published`);
  }
}

function install(tarball: string): string {
  const folder = path.join(scratch, 'user');
  run('mkdir', [folder], scratch);
  const manifest = { name: 'user', version: '1.0.0', private: true, type: 'module' };
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest));
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', tarball], folder);
  return folder;
}

function checkWeight(folder: string): void {
  const lock = path.join(folder, 'node_modules/.package-lock.json');
  const { packages } = JSON.parse(readFileSync(lock, 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const names = Object.keys(packages);
  const scripted = names.filter((name) => packages[name]?.hasInstallScript === true);
  const bytes = filesBelow(path.join(folder, 'node_modules'))
    .map((file) => lstatSync(file).size)
    .reduce((sum, size) => sum + size, 0);
  say(`${names.length} packages, ${(bytes / 1024 / 1024).toFixed(1)} MB installed`);
  if (names.length > limits.packages) throw new Error(`more than ${limits.packages} packages`);
  if (bytes > limits.bytes) throw new Error(`more than ${limits.bytes} bytes installed`);
  if (scripted.length > 0) throw new Error(`install scripts in ${scripted.join(', ')}`);
}

/** Runs the command and imports every export, as a user would. */
function checkDoors(folder: string): void {
  const command = path.join(folder, 'node_modules/.bin/evergrant');
  const version = run(command, ['--version'], folder).trim();
  if (!version.includes(packageJson.version)) throw new Error(`--version printed ${version}`);
  const doors = Object.keys(packageJson.exports)
    .filter((door) => !door.endsWith('.json'))
    .map((door) => path.posix.join(packageJson.name, door));
  for (const door of doors) {
    const script = `const door = await import('${door}'); console.log(Object.keys(door).join(' '));`;
    writeFileSync(path.join(folder, 'door.js'), script);
    const names = run(process.execPath, ['door.js'], folder).trim();
    if (names === '') throw new Error(`${door} exports nothing`);
    say(`${door}: ${names}`);
  }
  run(command, ['demo'], folder);
  say('evergrant demo ran');
}

/** Starts the daemon and loads the dashboard that its link names, with what the page asks for. */
async function checkDashboard(folder: string): Promise<void> {
  const command = path.join(folder, 'node_modules/.bin/evergrant');
  const env = { ...process.env, ...ofEvergrant, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  const daemon = spawn(command, ['serve', '--create'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    await untilServing(daemon);
    const link = run(command, ['dashboard', '--no-browser'], folder).trim();
    const page = await textAt(link);
    const assets = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, at = '']) => at);
    if (assets.length < 3) throw new Error(`the dashboard asks for ${assets.join(', ')} only`);
    for (const asset of assets) await textAt(new URL(asset, link).href);
    say(`evergrant dashboard answered, with ${assets.length} files`);
    checkRemote(folder);
  } finally {
    daemon.kill('SIGTERM');
    await once(daemon, 'close');
  }
}

/** A program that asks the daemon, as docs/services.md and docs/daemon.md show it, and keeps its arguments to itself. */
function checkRemote(folder: string): void {
  const script = `import { openKeeper } from 'evergrant';
    await using keeper = await openKeeper({ daemon: true });
    console.log((await keeper.list()).length);`;
  writeFileSync(path.join(folder, 'remote.js'), script);
  const said = run(process.execPath, ['remote.js', 'list', '--names'], folder).trim();
  if (said !== '0') throw new Error(`a program that asks the daemon printed ${said}`);
  say('a program asked the daemon');
}

function untilServing(daemon: ReturnType<typeof spawn>): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    daemon.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes(' serving')) resolve();
    });
    daemon.once('close', () => reject(new Error(`evergrant serve ended: ${said}`)));
  });
}

async function textAt(url: string): Promise<string> {
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return text;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** Runs a program under this project's Node; hands back what it printed, and fails with it when the program does. */
function run(program: string, args: readonly string[], cwd: string): string {
  // npm needs the real home, where its settings are.
  const home = program === 'npm' ? {} : ofEvergrant;
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}`, ...home };
  try {
    return execFileSync(program, args, {
      cwd,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 300_000,
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')} failed\n${stdout ?? ''}${stderr ?? ''}`, {
      cause: error,
    });
  }
}

function say(line: string): void {
  console.log(`package: ${line}`);
}
