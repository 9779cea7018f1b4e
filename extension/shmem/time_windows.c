/*
 * time_windows.c
 *    Rings of buckets.
 *
 * A bucket's place is its number modulo the size of the ring.  Going on to a newer number empties the places in
 * between, so that a bucket never shows what was there a turn ago.  A clock that was set back adds to buckets before
 * the newest one. No locks here: the caller holds the lock of the queue.  All zeros are empty windows.
 */
#include "postgres.h"

#include "shmem/time_windows.h"

/* bucket_for returns the bucket of a number, or NULL when it is older than the ring. */
static WindowBucket *
bucket_for(WindowBucket *ring, int32 size, int32 *newest, int32 number)
{
	if (number > *newest)
	{
		int32 first = Max(*newest, number - size) + 1;

		for (int32 i = first; i <= number; i++)
			memset(&ring[i % size], 0, sizeof(WindowBucket));
		*newest = number;
	}
	return number > *newest - size ? &ring[number % size] : NULL;
}

static void
add_to(WindowBucket *bucket, const WindowSum *sum)
{
	if (bucket == NULL)
		return;
	bucket->completed += sum->completed;
	bucket->failed += sum->failed;
	bucket->duration_ms += sum->duration_ms;
}

void
spl_windows_add(TimeWindows *windows, WindowRings rings, int32 minute, const WindowSum *sum)
{
	if (rings & RING_HOUR)
		add_to(bucket_for(windows->minutes, HOUR_BUCKETS, &windows->newest_minute, minute), sum);
	if (rings & RING_DAY)
		add_to(bucket_for(windows->fives, DAY_BUCKETS, &windows->newest_five, minute / DAY_BUCKET_MINUTES), sum);
}

/* sum_ring adds up the buckets of the turn that ends with "now", or with a newer bucket if there is one. */
static WindowSum
sum_ring(const WindowBucket *ring, int32 size, int32 newest, int32 now)
{
	WindowSum sum = {0};
	int32	  first = Max(0, Max(newest, now) - size + 1);
	int32	  place = first % size;

	for (int32 i = first; i <= newest; i++)
	{
		sum.completed += ring[place].completed;
		sum.failed += ring[place].failed;
		sum.duration_ms += ring[place].duration_ms;
		if (++place == size)
			place = 0;
	}
	return sum;
}

void
spl_windows_read(const TimeWindows *windows, int32 now_minute, WindowSum *hour, WindowSum *day)
{
	*hour = sum_ring(windows->minutes, HOUR_BUCKETS, windows->newest_minute, now_minute);
	*day = sum_ring(windows->fives, DAY_BUCKETS, windows->newest_five, now_minute / DAY_BUCKET_MINUTES);
}
