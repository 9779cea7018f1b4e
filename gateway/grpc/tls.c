/*
 * tls.c
 *    See tls.h.  gRPC asks for the certificate at each handshake, possibly in several threads at a time.
 */
#include "grpc/tls.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/config.h"
#include "base/log.h"

enum
{
	FILE_CERT,
	FILE_KEY,
	FILE_CLIENT_CA,
	FILES
};

/* What tells one version of a file from the next. */
typedef struct Version
{
	struct timespec changed;
	off_t			size;
	ino_t			inode;
} Version;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static bool			   is_known;
static Version		   known[FILES];

static const char *
path_of(int file)
{
	const char *paths[FILES] = {config.grpc_tls_cert_path, config.grpc_tls_key_path, config.grpc_tls_client_ca_path};

	return paths[file];
}

/* read_versions tells whether any file differs from "old"; a file that can't be looked at counts as no version. */
static bool
read_versions(Version *now, const Version *old)
{
	bool changed = false;

	memset(now, 0, sizeof(Version) * FILES);
	for (int i = 0; i < FILES; i++)
	{
		struct stat info;

		if (path_of(i) != NULL && stat(path_of(i), &info) == 0)
		{
			now[i].changed = info.st_mtim;
			now[i].size = info.st_size;
			now[i].inode = info.st_ino;
		}
		changed |= memcmp(&now[i], &old[i], sizeof(now[i])) != 0;
	}
	return changed;
}

static bool
read_file(const char *path, Buf *text)
{
	FILE  *file = path == NULL ? NULL : fopen(path, "r");
	char   piece[4096];
	size_t got;

	if (file == NULL)
	{
		log_line(LOG_ERROR, "gRPC TLS: %s: %s", path == NULL ? "a file that is not named" : path,
				 path == NULL ? "see GRPC_TLS_CERT_PATH and GRPC_TLS_KEY_PATH" : strerror(errno));
		return false;
	}
	while ((got = fread(piece, 1, sizeof(piece), file)) > 0)
		buf_add(text, piece, got);
	fclose(file);
	buf_add(text, "", 1);
	return true;
}

/* read_config makes a configuration of the files; NULL: one of them can't be read. */
static grpc_ssl_server_certificate_config *
read_config(void)
{
	Buf									texts[FILES] = {0};
	bool								done = true;
	grpc_ssl_server_certificate_config *made = NULL;

	for (int i = 0; i < FILES; i++)
	{
		if (i != FILE_CLIENT_CA || path_of(i) != NULL)
			done = done && read_file(path_of(i), &texts[i]);
	}
	if (done)
	{
		grpc_ssl_pem_key_cert_pair pair = {.private_key = texts[FILE_KEY].data, .cert_chain = texts[FILE_CERT].data};

		/* gRPC wants some authorities even when it asks no client for a certificate. */
		const char *authorities = texts[FILE_CLIENT_CA].data != NULL ? texts[FILE_CLIENT_CA].data : pair.cert_chain;

		made = grpc_ssl_server_certificate_config_create(authorities, &pair, 1);
	}
	if (texts[FILE_KEY].data != NULL)
		explicit_bzero(texts[FILE_KEY].data, texts[FILE_KEY].len);
	for (int i = 0; i < FILES; i++)
		buf_free(&texts[i]);
	return made;
}

/* fetch is called by gRPC. */
static grpc_ssl_certificate_config_reload_status
fetch(void *arg, grpc_ssl_server_certificate_config **made)
{
	grpc_ssl_certificate_config_reload_status status = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
	Version									  now[FILES];

	(void) arg;
	pthread_mutex_lock(&lock);
	if (read_versions(now, known) || !is_known)
	{
		*made = read_config();
		status = *made == NULL ? GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL : GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
		if (*made != NULL)
		{
			memcpy(known, now, sizeof(known));
			is_known = true;
		}
	}
	pthread_mutex_unlock(&lock);
	return status;
}

grpc_server_credentials *
tls_credentials(void)
{
	grpc_ssl_client_certificate_request_type asks = config.grpc_tls_client_ca_path == NULL
		? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
		: GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
	grpc_ssl_server_certificate_config		*made = read_config();

	if (made == NULL)
	{
		log_line(LOG_ERROR,
				 "gRPC needs the files of GRPC_TLS_CERT_PATH and GRPC_TLS_KEY_PATH;"
				 " GRPC_TLS_ENABLED=false (in production the default is true) serves it without TLS");
		return NULL;
	}
	grpc_ssl_server_certificate_config_destroy(made);
	return grpc_ssl_server_credentials_create_with_options(
		grpc_ssl_server_credentials_create_options_using_config_fetcher(asks, fetch, NULL));
}
