/*
 * metrics_text.h
 *    Metrics in Prometheus's text format.
 */
#ifndef SPL_METRICS_TEXT_H
#define SPL_METRICS_TEXT_H

#include "lib/stringinfo.h"
#include "ops/metrics.h"

extern void spl_metrics_text(StringInfo out, const Metrics *metrics);

#endif
