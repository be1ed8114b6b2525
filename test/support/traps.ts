import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';

/*
 * What must not be trusted at a path. Some of it only root can lay.
 */

const isRoot = process.getuid?.() === 0;

/** Each puts something in place of a private file. */
export const FILE_TRAPS: Readonly<Record<string, (file: string) => void>> = {
  'a symbolic link to a good file': (file) => {
    fs.writeFileSync(`${file}-good`, 'x', { mode: 0o600 });
    fs.symlinkSync(`${file}-good`, file);
  },
  'a dangling link': (file) => {
    fs.symlinkSync(`${file}-nowhere`, file);
  },
  'a second hard link': (file) => {
    fs.writeFileSync(file, 'x', { mode: 0o600 });
    fs.linkSync(file, `${file}-again`);
  },
  'a fifo': (file) => {
    execFileSync('mkfifo', ['-m', '600', file]);
  },
  'a folder': (file) => {
    fs.mkdirSync(file, { mode: 0o700 });
  },
  ...Object.fromEntries(
    [0o640, 0o604, 0o620, 0o602, 0o610, 0o666, 0o644].map((mode) => [
      `mode ${mode.toString(8)}`,
      (file: string) => {
        fs.writeFileSync(file, 'x');
        fs.chmodSync(file, mode);
      },
    ]),
  ),
  ...(isRoot && {
    'a foreign owner': (file: string) => {
      fs.writeFileSync(file, 'x', { mode: 0o600 });
      fs.chownSync(file, 65_534, 65_534);
    },
    'a device': (file: string) => {
      execFileSync('mknod', ['-m', '600', file, 'c', '1', '3']);
    },
  }),
};

/** Each puts something in place of a private folder. */
export const FOLDER_TRAPS: Readonly<Record<string, (folder: string) => void>> = {
  'a symbolic link to a good folder': (file) => {
    fs.mkdirSync(`${file}-good`, { mode: 0o700 });
    fs.symlinkSync(`${file}-good`, file);
  },
  'a dangling link': (file) => {
    fs.symlinkSync(`${file}-nowhere`, file);
  },
  'a file': (file) => {
    fs.writeFileSync(file, '', { mode: 0o600 });
  },
  'a fifo': (file) => {
    execFileSync('mkfifo', ['-m', '600', file]);
  },
  ...Object.fromEntries(
    [0o750, 0o705, 0o701, 0o710, 0o777, 0o755].map((mode) => [
      `mode ${mode.toString(8)}`,
      (file: string) => {
        fs.mkdirSync(file);
        fs.chmodSync(file, mode);
      },
    ]),
  ),
  ...(isRoot && {
    'a foreign owner': (file: string) => {
      fs.mkdirSync(file, { mode: 0o700 });
      fs.chownSync(file, 65_534, 65_534);
    },
  }),
};
