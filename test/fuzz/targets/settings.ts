import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inspect } from 'node:util';
import { readSettings, type Settings } from '../../../src/settings.ts';
import { makeTemporaryFolder, removeFolder } from '../../../src/system/temporary-folder.ts';
import type { Canary } from '../../support/leaks.ts';
import type { Dice } from '../dice.ts';
import type { Door, Fuzzer, Sight } from '../fuzzer.ts';
import { hostileJson, hostileText, jsonString, mutate } from '../hostile.ts';
import { breachOfError, breachOfPrototype } from '../judge.ts';

/*
 * The settings file: what it says is obeyed when it is right to the letter, and refused with a reason when it is not.
 */

const SECRET = 'canary~client+secret/7f3a91';
const CANARIES: readonly Canary[] = [{ kind: 'secret in a wrong place', value: SECRET }];

const SOUND: readonly (readonly [string, string])[] = [
  ['notifyCommand', '["/usr/bin/notify","-x"]'],
  ['lastTry', 'false'],
  ['requestsPerSecond', '5'],
];

function textOf(dice: Dice): string {
  const members = SOUND.filter(() => dice.chance(0.6)).map(([name, json]) => {
    if (dice.chance(0.8)) return [name, json] as const;
    return [
      name,
      dice.pick([
        hostileJson(dice),
        '[]',
        '[""]',
        '[1]',
        '0',
        '10001',
        '1e400',
        '"5"',
        'null',
        `"${SECRET}"`,
      ]),
    ] as const;
  });
  const name = dice.pick([
    'clientSecret',
    'lasttry',
    '__proto__',
    'constructor',
    hostileText(dice),
  ]);
  const more = dice.chance(0.25)
    ? [[name, dice.chance(0.5) ? JSON.stringify(SECRET) : hostileJson(dice)] as const]
    : [];
  const pairs = [...members, ...more].map(([key, json]) => `${jsonString(dice, key)}: ${json}`);
  const whole = `{ ${pairs.join(', ')} }`;
  return dice.chance(0.93)
    ? whole
    : dice.pick([hostileJson(dice), hostileText(dice), `[${whole}]`, `${whole},`]);
}

/** The same judgement, by hand. */
function isRight(bytes: Uint8Array): boolean {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return false;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(([name, member]: [string, unknown]) => {
    if (name === 'lastTry') return typeof member === 'boolean';
    if (name === 'requestsPerSecond')
      return typeof member === 'number' && member >= 0.1 && member <= 10_000;
    if (name !== 'notifyCommand' || !Array.isArray(member) || member.length === 0) return false;
    return member.every((part) => typeof part === 'string' && part !== '');
  });
}

type Read = (file: string) => Promise<Settings>;

const DEFECTS: Readonly<Record<string, Read>> = {
  'leaves unknown names aside': async (file) => {
    try {
      return await readSettings(file);
    } catch (error) {
      if (String(error).includes('is unknown')) return {};
      throw error;
    }
  },
  'repeats a wrong value': async (file) => {
    try {
      return await readSettings(file);
    } catch (error) {
      Object.assign(error as Error, { cause: SECRET });
      throw error;
    }
  },
};

async function attackOnce(dice: Dice, file: string, read: Read): Promise<Sight> {
  const bytes = mutate(dice, Buffer.from(textOf(dice)), 0.15);
  await writeFile(file, bytes, { mode: 0o600 });
  const input = inspect(Buffer.from(bytes).toString('latin1'));
  try {
    const settings = await read(file);
    const isHeld =
      isRight(bytes) && inspect(settings) === inspect(JSON.parse(Buffer.from(bytes).toString()));
    return {
      met: 'read',
      breach: breachOfPrototype() ?? (isHeld ? undefined : `obeyed: ${inspect(settings)}`),
      input,
    };
  } catch (error) {
    const breach = isRight(bytes) ? 'refused what is right' : breachOfError(error, CANARIES);
    return { met: 'refused', breach, input };
  }
}

/** The settings file. */
export const settingsFiles: Fuzzer = {
  name: 'settings-files',
  trials: 1_000,
  fullTrials: 30_000,
  reaches: ['read', 'refused'],
  defects: Object.keys(DEFECTS),
  async open(defect): Promise<Door> {
    const folder = await makeTemporaryFolder('evergrant-fuzz-');
    const file = path.join(folder, 'settings.json');
    return {
      attack: (dice) =>
        attackOnce(dice, file, defect === undefined ? readSettings : DEFECTS[defect]!),
      [Symbol.asyncDispose]: () => removeFolder(folder),
    };
  },
};
