# pgxs.mk
#    Builds and installs the extension.  Run from the top folder: make -f extension/pgxs.mk

MODULE_big = spooled
EXTENSION  = spooled
DATA       = spooled--1.0.sql
OBJS       = $(sort $(patsubst %.c,%.o,$(wildcard extension/*.c extension/*/*.c)))

PG_CPPFLAGS = -Iextension -MMD -MP
# What PostgreSQL's own headers and callback signatures do all the time is not worth a warning.
PG_CFLAGS   = -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers -Wno-sign-compare \
              -Wno-declaration-after-statement
EXTRA_CLEAN = $(OBJS:.o=.d)

# No bitcode: building must not need clang.  PGXS takes the folder of this file for the source folder; it is the top.
override with_llvm = no
override srcdir = .
PG_CONFIG ?= pg_config
PGXS      := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

-include $(OBJS:.o=.d)
