/*
 * uuid7.c
 *    Time-ordered ids.
 *
 * Layout: 48 bits of milliseconds, version, 10 bits of microseconds and 2 of padding, variant, 16 bits of a counter, 46
 * random bits.  A clock that stands still or steps back never makes an id that sorts before an earlier one of this backend:
 * the last reading is kept and the counter goes on.  Across backends the order is that of their clock readings.
 */
#include "postgres.h"

#include "base/hex.h"
#include "base/uuid7.h"
#include "common/pg_prng.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define PG_EPOCH_IN_UNIX_MICROSECONDS ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY * USECS_PER_SEC)

static int64  last_microseconds = 0;
static uint16 last_counter = 0;

/* next_reading returns a (microsecond, counter) pair greater than all before. */
static int64
next_reading(TimestampTz now, uint16 *counter)
{
	int64 microseconds = now + PG_EPOCH_IN_UNIX_MICROSECONDS;

	if (microseconds > last_microseconds)
	{
		last_microseconds = microseconds;
		last_counter = 0;
	}
	else if (++last_counter == 0)
		last_microseconds++;
	*counter = last_counter;
	return last_microseconds;
}

pg_uuid_t
spl_uuid7(TimestampTz now)
{
	pg_uuid_t id;
	uint16	  counter;
	int64	  reading = next_reading(now, &counter);
	uint64	  milliseconds = (uint64) reading / 1000;
	uint16	  rest = (uint16) (reading % 1000);
	uint64	  random = pg_prng_uint64(&pg_global_prng_state);

	for (int i = 0; i < 6; i++)
		id.data[i] = (unsigned char) (milliseconds >> (40 - 8 * i));
	id.data[6] = 0x70 | (rest >> 6);
	id.data[7] = (unsigned char) (rest << 2);
	id.data[8] = 0x80 | (counter >> 10);
	id.data[9] = (unsigned char) (counter >> 2);
	id.data[10] = (unsigned char) ((counter << 6) | (random & 0x3F));
	for (int i = 11; i < UUID_LEN; i++)
		id.data[i] = (unsigned char) (random >> (6 + 8 * (i - 11)));
	return id;
}

pg_uuid_t
spl_uuid_random(void)
{
	pg_uuid_t id;
	uint64	  high = pg_prng_uint64(&pg_global_prng_state);
	uint64	  low = pg_prng_uint64(&pg_global_prng_state);

	memcpy(id.data, &high, sizeof(high));
	memcpy(id.data + sizeof(high), &low, sizeof(low));
	id.data[6] = (id.data[6] & 0x0F) | 0x40;
	id.data[8] = (id.data[8] & 0x3F) | 0x80;
	return id;
}

char *
spl_uuid_text(const pg_uuid_t *id)
{
	static const char digits[] = "0123456789abcdef";
	char			 *text = palloc(37);
	char			 *out = text;

	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = digits[id->data[i] >> 4];
		*out++ = digits[id->data[i] & 0x0F];
	}
	*out = '\0';
	return text;
}

bool
spl_uuid_parse(const char *text, pg_uuid_t *id)
{
	for (int i = 0; i < UUID_LEN; i++)
	{
		int high, low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text == '-')
			text++;
		high = spl_hex_value(text[0]);
		low = high < 0 ? -1 : spl_hex_value(text[1]);
		if (low < 0)
			return false;
		id->data[i] = (unsigned char) (high << 4 | low);
		text += 2;
	}
	return *text == '\0';
}

pg_uuid_t
spl_uuid7_first(TimestampTz time)
{
	int64	  ms = Max(time + PG_EPOCH_IN_UNIX_MICROSECONDS, 0) / 1000; /* ids have no time before 1970 */
	pg_uuid_t id = {{0}};

	for (int i = 0; i < 6; i++)
		id.data[i] = (unsigned char) (ms >> (8 * (5 - i)));
	return id;
}

int
spl_uuid_compare(const void *a, const void *b)
{
	return memcmp(((const pg_uuid_t *) a)->data, ((const pg_uuid_t *) b)->data, UUID_LEN);
}
