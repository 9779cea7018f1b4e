/*
 * op_value.h
 *    One parameter's value: from JSON or from a query, checked for its type.
 */
#ifndef GATEWAY_OP_VALUE_H
#define GATEWAY_OP_VALUE_H

#include "op/json_scan.h"
#include "op/op_bind.h"

extern void op_value_from_json(const OpParam *param, JsonSpan *span, bool first_element, const char *prefix,
							   Arena *arena, OpValues *values, int number, OpFaults *faults);
extern void op_value_from_query(const OpParam *param, char *text, OpValues *values, int number, OpFaults *faults);

#endif
