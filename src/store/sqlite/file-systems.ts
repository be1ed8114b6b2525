import { StoreError } from '../../errors.ts';
import { fileSystemType, fileSystemTypeSync } from '../../system/file-system.ts';

/** File systems on which the kernel's locks or WAL's shared memory cannot be trusted, by statfs(2) type on Linux. */
const UNSAFE_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x65735546, 'FUSE'],
  [0x01021997, '9P'],
  [0x5346414f, 'AFS'],
  [0x73757245, 'Coda'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x19830326, 'BeeGFS'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
  [0x786f4256, 'a VirtualBox shared folder'],
  [0xbacbacbc, 'a VMware shared folder'],
]);

/**
 * Refuses a folder whose file system is shared between machines or runs in a process.
 *
 * @throws {@link StoreError} `ERR_STORE_UNSAFE`
 */
export async function checkFileSystem(folder: string): Promise<void> {
  if (process.platform === 'linux') refuseUnsafe(folder, await fileSystemType(folder));
}

/** As {@link checkFileSystem}, at once. */
export function checkFileSystemSync(folder: string): void {
  if (process.platform === 'linux') refuseUnsafe(folder, fileSystemTypeSync(folder));
}

function refuseUnsafe(folder: string, type: number): void {
  const name = UNSAFE_FILE_SYSTEMS.get(type);
  if (name === undefined) return;
  throw new StoreError(
    'ERR_STORE_UNSAFE',
    `${folder} lies on ${name}, where locks between processes cannot be trusted; choose a home on a local disk`,
  );
}
