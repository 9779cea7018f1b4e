/*
 * transfer.h
 *    Transfers of libcurl inside an event loop: begun, and answered exactly once unless they are taken back.
 */
#ifndef GATEWAY_TRANSFER_H
#define GATEWAY_TRANSFER_H

#include <curl/curl.h>

#include "base/attr.h"
#include "loop/loop.h"

/* A TransferDone gets the handle back; it may begin another one with it. */
typedef void (*TransferDone)(void *arg, CURL *easy, CURLcode code);

typedef struct Transfers
{
	Loop		*loop;
	CURLM		*multi;
	Timer		 timer;
	TransferDone done;
	void		*arg;
} Transfers;

/* transfers_global_init must run before there are threads. */
extern void transfers_global_init(void);
extern void transfers_init(Transfers *transfers, Loop *loop, TransferDone done, void *arg);
extern bool transfers_begin(Transfers *transfers, CURL *easy) MUST_CHECK;

/* transfers_cancel takes one back; "done" will not run for it. */
extern void transfers_cancel(Transfers *transfers, CURL *easy);
extern void transfers_free(Transfers *transfers);

#endif
