/*
 * channel.c
 *    See channel.h.
 */
#include "base/channel.h"

#include <string.h>

void
channel_init(Channel *channel)
{
	memset(channel, 0, sizeof(*channel));
	pthread_mutex_init(&channel->lock, NULL);
}

void
channel_put(Channel *channel, int64_t value)
{
	pthread_mutex_lock(&channel->lock);
	if (channel->count < CHANNEL_SIZE)
		channel->values[channel->count++] = value;
	else
		channel->overflowed = true;
	pthread_mutex_unlock(&channel->lock);
}

int
channel_take_all(Channel *channel, int64_t *values, bool *overflowed)
{
	int count;

	pthread_mutex_lock(&channel->lock);
	count = channel->count;
	memcpy(values, channel->values, (size_t) count * sizeof(values[0]));
	*overflowed = channel->overflowed;
	channel->count = 0;
	channel->overflowed = false;
	pthread_mutex_unlock(&channel->lock);
	return count;
}

void
channel_free(Channel *channel)
{
	pthread_mutex_destroy(&channel->lock);
}
