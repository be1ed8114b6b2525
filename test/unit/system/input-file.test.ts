import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  InputTooLongError,
  readAll,
  readDescriptor,
  readInputFile,
} from '../../../src/system/input-file.ts';
import { parseIsoDate } from '../../../src/system/iso-date.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'evergrant-input-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function file(content: string, mode = 0o600): string {
  const target = path.join(folder, 'file');
  writeFileSync(target, content);
  chmodSync(target, mode);
  return target;
}

it('tells whether others may read a file', async () => {
  expect(await readInputFile(file('ü'), 10)).toEqual({
    bytes: Buffer.from('ü'),
    isReadableByOthers: false,
  });
  expect(await readInputFile(file('ü', 0o640), 10)).toMatchObject({ isReadableByOthers: true });
});

it('reads a pipe, which belongs to nobody else', async () => {
  const pipe = path.join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const reading = readInputFile(pipe, 10);
  writeFileSync(pipe, 'piped');
  expect(await reading).toEqual({ bytes: Buffer.from('piped'), isReadableByOthers: false });
});

it('reads an inherited descriptor', async () => {
  expect(await readDescriptor(openSync(file('fd'), 'r'), 10)).toEqual(Buffer.from('fd'));
});

it('stops at the limit, without holding more', async () => {
  await expect(readInputFile(file('12345678901'), 10)).rejects.toBeInstanceOf(InputTooLongError);
  await expect(readAll(Readable.from(['123456', '78901']), 10)).rejects.toBeInstanceOf(
    InputTooLongError,
  );
  expect(await readAll(Readable.from(['123', '45']), 10)).toEqual(Buffer.from('12345'));
});

it('reads dates with and without a time, and no others', () => {
  expect(parseIsoDate('2027-01-31')).toBe(Date.UTC(2027, 0, 31));
  expect(parseIsoDate('2027-01-31T01:00:00+01:00')).toBe(Date.UTC(2027, 0, 31));
  expect(parseIsoDate('2027-02-31')).toBeUndefined();
  expect(parseIsoDate('2027-13-01')).toBeUndefined();
  expect(parseIsoDate('2027-01-31T10')).toBeUndefined();
});
