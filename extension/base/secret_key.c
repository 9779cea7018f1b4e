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
#include "base/secret_key.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "miscadmin.h"
#include "storage/fd.h"

#define KEY_BYTES 32

/* read_key reads the file; false: there is none. */
static bool
read_key(const char *path, uint8 *key)
{
	int	 file = OpenTransientFile(path, O_RDONLY | PG_BINARY);
	bool is_whole;

	if (file < 0 && errno == ENOENT)
		return false;
	if (file < 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not open the secret key file: %m")));
	is_whole = read(file, key, KEY_BYTES) == KEY_BYTES;
	CloseTransientFile(file);
	if (!is_whole)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("the secret key file is too short")));
	return true;
}

/* make_key makes the file, unless somebody else has just done so: link() never replaces one. */
static void
make_key(const char *path)
{
	char *fresh = psprintf("%s.%d", path, MyProcPid);
	uint8 key[KEY_BYTES];
	int	  file;

	if (!pg_strong_random(key, KEY_BYTES))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate a secret key")));
	file = OpenTransientFilePerm(fresh, O_WRONLY | O_CREAT | O_TRUNC | PG_BINARY, S_IRUSR | S_IWUSR);
	if (file < 0 || write(file, key, KEY_BYTES) != KEY_BYTES || pg_fsync(file) != 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not write a secret key file: %m")));
	CloseTransientFile(file);
	if (link(fresh, path) != 0 && errno != EEXIST)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not write a secret key file: %m")));
	unlink(fresh);
	fsync_fname(DataDir, true);
}

void
spl_secret_derive(const char *purpose, const void *bytes, Size length, uint8 *derived)
{
	uint8		 key[KEY_BYTES];
	pg_hmac_ctx *context;

	if (!read_key(spooled_secret_key_file, key))
	{
		make_key(spooled_secret_key_file);
		if (!read_key(spooled_secret_key_file, key))
			elog(ERROR, "the secret key file is gone again");
	}
	context = pg_hmac_create(PG_SHA256);
	if (context == NULL || pg_hmac_init(context, key, KEY_BYTES) < 0 ||
		pg_hmac_update(context, (const uint8 *) purpose, strlen(purpose) + 1) < 0 ||
		pg_hmac_update(context, bytes, length) < 0 || pg_hmac_final(context, derived, SPL_HASH_BYTES) < 0)
		elog(ERROR, "deriving a secret failed");
	pg_hmac_free(context);
	explicit_bzero(key, KEY_BYTES);
}
