/*
 * channel.h
 *    A bounded queue of numbers between threads.  When it is full, values are lost and the reader is told so.
 */
#ifndef GATEWAY_CHANNEL_H
#define GATEWAY_CHANNEL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define CHANNEL_SIZE 4096

typedef struct Channel
{
	pthread_mutex_t lock; /* guards everything below */
	int64_t			values[CHANNEL_SIZE];
	int				count;
	bool			overflowed;
} Channel;

extern void channel_init(Channel *channel);
extern void channel_put(Channel *channel, int64_t value);

/* channel_take_all copies what is there to "values" (room for CHANNEL_SIZE) and empties the channel. */
extern int	channel_take_all(Channel *channel, int64_t *values, bool *overflowed);
extern void channel_free(Channel *channel);

#endif
