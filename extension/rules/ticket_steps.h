/*
 * ticket_steps.h
 *    Which ticket may follow which.
 */
#ifndef SPL_TICKET_STEPS_H
#define SPL_TICKET_STEPS_H

#include "base/ticket_kind.h"

extern bool spl_step_exists(TicketKind from, TicketKind to);

#endif
