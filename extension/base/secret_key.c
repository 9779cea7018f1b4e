/*
 * secret_key.c
 *    The installation's secret key.
 *
 * 32 random bytes in a file that only the server's user can read, by default in the data directory; made when it is first
 * needed.  A base backup takes it along, pg_dump does not: whoever restores a dump elsewhere brings the file, or what was
 * derived from it is no longer known.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/guc.h"
#include "base/hmac.h"
#include "base/secret_key.h"
#include "miscadmin.h"
#include "storage/fd.h"

#define KEY_BYTES 32

/* read_key reads the file; false: there is none. */
static bool
read_key(const char *path, uint8 *key)
{
	int file = OpenTransientFile(path, O_RDONLY | PG_BINARY);
	int count;

	if (file < 0 && errno == ENOENT)
		return false;
	if (file < 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not open the secret key file: %m")));
	count = read(file, key, KEY_BYTES);
	if (count < 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not read the secret key file: %m")));
	CloseTransientFile(file);
	if (count != KEY_BYTES)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("the secret key file is too short")));
	return true;
}

/* write_key writes a key to the disk; false: errno tells why not. */
static bool
write_key(const char *path, const uint8 *key)
{
	int	 file = OpenTransientFilePerm(path, O_WRONLY | O_CREAT | O_TRUNC | PG_BINARY, S_IRUSR | S_IWUSR);
	bool done;

	if (file < 0)
		return false;
	errno = ENOSPC; /* what a short write means, which sets none */
	done = write(file, key, KEY_BYTES) == KEY_BYTES && pg_fsync(file) == 0;
	return CloseTransientFile(file) == 0 && done;
}

/* sync_folder makes the entry of a file durable: who derives something of a key must find that key after a crash. */
static void
sync_folder(const char *path)
{
	char folder[MAXPGPATH];

	strlcpy(folder, path, sizeof(folder));
	get_parent_directory(folder);
	fsync_fname(folder[0] != '\0' ? folder : ".", true);
}

/* make_key makes the file, unless somebody else has just done so: link() never replaces one. */
static void
make_key(const char *path)
{
	char *fresh = psprintf("%s.%d", path, MyProcPid);
	uint8 key[KEY_BYTES];

	if (!pg_strong_random(key, KEY_BYTES))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate a secret key")));
	if (!write_key(fresh, key) || (link(fresh, path) != 0 && errno != EEXIST))
	{
		int why = errno;

		unlink(fresh);
		errno = why;
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not write a secret key file: %m")));
	}
	explicit_bzero(key, KEY_BYTES);
	unlink(fresh);
	sync_folder(path);
}

void
spl_secret_derive(const char *purpose, const void *bytes, Size length, uint8 *derived)
{
	Size   prefix = strlen(purpose) + 1;
	uint8 *message = palloc(prefix + length);
	uint8  key[KEY_BYTES];

	if (!read_key(spooled_secret_key_file, key))
	{
		make_key(spooled_secret_key_file);
		if (!read_key(spooled_secret_key_file, key))
			elog(ERROR, "the secret key file is gone again");
	}
	memcpy(message, purpose, prefix);
	memcpy(message + prefix, bytes, length);
	spl_hmac(key, KEY_BYTES, message, prefix + length, derived);
	explicit_bzero(key, KEY_BYTES);
}
