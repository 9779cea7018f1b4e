/*
 * histogram.h
 *    Latencies in constant memory: 32 buckets for each power of two nanoseconds, so a percentile is right to 3 %.
 *
 * One histogram belongs to one thread while it records; merge them after the threads have ended.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB_BITS 5
#define HISTOGRAM_SUB (1 << HISTOGRAM_SUB_BITS)
#define HISTOGRAM_BUCKETS ((42 - HISTOGRAM_SUB_BITS) * HISTOGRAM_SUB) /* up to 2^41 ns, 36 minutes */

typedef struct Histogram
{
	uint64_t count;
	uint64_t max_ns;
	uint32_t bucket[HISTOGRAM_BUCKETS];
} Histogram;

/* histogram_bucket_of returns the bucket that a value falls into. */
static inline int
histogram_bucket_of(uint64_t ns)
{
	int shift;

	if (ns < HISTOGRAM_SUB)
		return (int) ns;
	shift = 63 - __builtin_clzll(ns) - HISTOGRAM_SUB_BITS;
	if (shift >= 42 - HISTOGRAM_SUB_BITS - 1)
		return HISTOGRAM_BUCKETS - 1;
	return (shift + 1) * HISTOGRAM_SUB + (int) ((ns >> shift) & (HISTOGRAM_SUB - 1));
}

/* histogram_middle_of returns the value in the middle of a bucket. */
static inline double
histogram_middle_of(int bucket)
{
	int shift = bucket / HISTOGRAM_SUB - 1;

	if (shift < 0)
		return bucket;
	return (double) ((uint64_t) (HISTOGRAM_SUB + bucket % HISTOGRAM_SUB) << shift) +
		(double) ((uint64_t) 1 << shift) / 2;
}

/* histogram_add records one value. */
static inline void
histogram_add(Histogram *histogram, uint64_t ns)
{
	histogram->count++;
	histogram->bucket[histogram_bucket_of(ns)]++;
	if (ns > histogram->max_ns)
		histogram->max_ns = ns;
}

/* histogram_merge adds another histogram's values; NULL has none. */
static inline void
histogram_merge(Histogram *into, const Histogram *from)
{
	if (!from)
		return;
	into->count += from->count;
	if (from->max_ns > into->max_ns)
		into->max_ns = from->max_ns;
	for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->bucket[i] += from->bucket[i];
}

/* histogram_quantile_ms returns the value below which this share of all values lies, in milliseconds. */
static inline double
histogram_quantile_ms(const Histogram *histogram, double share)
{
	uint64_t wanted = (uint64_t) ((double) histogram->count * share);
	uint64_t seen = 0;

	for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
	{
		seen += histogram->bucket[i];
		if (seen > wanted)
			return histogram_middle_of(i) / 1e6;
	}
	return (double) histogram->max_ns / 1e6;
}

#endif
