import { sabotaged } from '#failpoints';
import { StoreError } from '../errors.ts';
import { spillContext } from '../connection/secrets.ts';
import type { TokenSet } from '../connection/record.ts';
import type { Attempt } from '../connection/claiming.ts';
import type { Store } from '../store/store.ts';
import { joinPath, systemFiles, type PrivateFiles } from '../system/files.ts';
import { systemReserve, type Reserve } from '../system/reserve.ts';
import { intendedName } from '../system/temporary-names.ts';

/*
 * Answers that the store could not take: the disk is full, the database busy or damaged. Each lies sealed in a file of its own, named by
 * its attempt, in a folder where every keeper of the home looks before it judges that attempt's intent. Beside them lies a reserve, so that
 * one finds room even on a full disk.
 */

/** An answer on its way into the store. */
export interface Spill {
  /** Connection it belongs to. */
  readonly connectionId: string;
  /** The attempt that got it. */
  readonly attempt: Attempt;
  /** The token set, sealed for the attempt's generation + 1. */
  readonly tokens: TokenSet;
  /** Set when its access token cannot be served. */
  readonly unusableType: string | undefined;
}

/** The folder of spills of one home. */
export class Spills {
  readonly #folder: string;
  readonly #store: Store;
  readonly #files: PrivateFiles;
  readonly #reserve: Reserve;

  /** @param folder - owner-only; made when it is first needed. */
  constructor(
    folder: string,
    store: Store,
    files: PrivateFiles = systemFiles,
    reserve: Reserve = systemReserve,
  ) {
    this.#folder = folder;
    this.#store = store;
    this.#files = files;
    this.#reserve = reserve;
  }

  /**
   * Makes sure that one answer can be written even if the disk is full by then.
   *
   * @throws {@link StoreError} when the disk takes no writes now; then nothing may be asked whose answer must not be lost.
   */
  async makeReserve(): Promise<void> {
    await this.#files.makeFolder(this.#folder);
    await this.#reserve.make(this.#reservePath);
  }

  /** Writes an answer durably. It carries its wrapped data key, so that it can be read even if the store is restored from a backup. */
  async write(spill: Spill): Promise<void> {
    await this.#files.makeFolder(this.#folder);
    const { attemptId } = spill.attempt;
    const sealed = this.#store.sealer.seal(encode(spill), spillContext(attemptId));
    const dataKey = this.#store.sealer.wrappedDataKey();
    const content = JSON.stringify({
      version: 1,
      storeId: this.#store.storeId,
      dataKey: { id: dataKey.id, wrapped: base64(dataKey.wrapped) },
      sealed: base64(sealed),
    });
    await this.#writeSomehow(this.#path(attemptId), content);
  }

  async #writeSomehow(path: string, content: string): Promise<void> {
    try {
      await this.#files.write(path, content);
    } catch (error) {
      if (sabotaged('reserve')) throw error;
      await this.#reserve.spend(this.#reservePath, path, content).catch(() => {
        throw error;
      });
    }
  }

  /**
   * The answer that an attempt left, if it left one.
   *
   * @throws {@link StoreError} `ERR_STORE_DAMAGED` when there is one that cannot be read; it is kept.
   */
  async find(attemptId: string): Promise<Spill | undefined> {
    const bytes = await this.#files.read(this.#path(attemptId));
    if (bytes === undefined) return undefined;
    const file = parse(bytes);
    if (file?.storeId !== this.#store.storeId) {
      throw new StoreError(
        'ERR_STORE_DAMAGED',
        `the spilled answer ${this.#path(attemptId)} is damaged or of another store; move it away to go on without it`,
      );
    }
    const plain = this.#store.sealer.open(
      Buffer.from(file.sealed, 'base64'),
      spillContext(attemptId),
      { id: file.dataKey.id, wrapped: Buffer.from(file.dataKey.wrapped, 'base64') },
    );
    return decode(plain);
  }

  /** Attempts that left an answer. */
  async attempts(): Promise<readonly string[]> {
    const names = await this.#files.list(this.#folder);
    return names.flatMap((name) => /^([\w-]+)\.spill$/.exec(name)?.[1] ?? []);
  }

  /**
   * Ends what killed writers left half done: an answer that is whole, and lacks nothing but its name, is kept under that; the rest goes.
   *
   * @throws {@link StoreError} when the folder cannot be read, or the file not be written.
   */
  async tidy(): Promise<void> {
    for (const name of await this.#files.leftBehind(this.#folder)) {
      const path = joinPath(this.#folder, name);
      const intended = intendedName(name) ?? '';
      const target = joinPath(this.#folder, intended);
      if (intended.endsWith('.spill') && (await this.#files.read(target)) === undefined) {
        const bytes = await this.#files.read(path);
        if (bytes !== undefined && parse(bytes) !== undefined)
          await this.#files.write(target, Buffer.from(bytes).toString('utf8'));
      }
      await this.#files.remove(path);
    }
  }

  /** Forgets an answer that is in the store now. */
  remove(attemptId: string): Promise<void> {
    return this.#files.remove(this.#path(attemptId));
  }

  get #reservePath(): string {
    return joinPath(this.#folder, 'reserve');
  }

  #path(attemptId: string): string {
    return joinPath(this.#folder, `${attemptId}.spill`);
  }
}

interface SpillFile {
  readonly storeId: string;
  readonly dataKey: { readonly id: string; readonly wrapped: string };
  readonly sealed: string;
}

function parse(bytes: Uint8Array): SpillFile | undefined {
  try {
    const file = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<SpillFile>;
    const { storeId, sealed, dataKey } = file;
    const whole =
      typeof storeId === 'string' &&
      typeof sealed === 'string' &&
      typeof dataKey?.id === 'string' &&
      typeof dataKey.wrapped === 'string';
    return whole ? { storeId, sealed, dataKey } : undefined;
  } catch {
    return undefined;
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** Sealed members become base64 under a marker, since JSON has no bytes. */
function encode(spill: Spill): string {
  return JSON.stringify(spill, (_key, value: unknown) =>
    value instanceof Uint8Array ? { $bytes: base64(value) } : bufferOf(value),
  );
}

/** A Buffer turns itself into a list of numbers before a replacer sees it. */
function bufferOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const buffer = value as { readonly type?: unknown; readonly data?: unknown };
  if (buffer.type !== 'Buffer' || !Array.isArray(buffer.data)) return value;
  return { $bytes: base64(Uint8Array.from(buffer.data as number[])) };
}

function decode(plain: Uint8Array): Spill {
  return JSON.parse(Buffer.from(plain).toString('utf8'), (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('$bytes' in value)) return value;
    return typeof value.$bytes === 'string' ? Buffer.from(value.$bytes, 'base64') : value;
  }) as Spill;
}
