# make, make install and make installcheck work as for every PostgreSQL extension; PG_CONFIG=... chooses the server.
# make check and make demo also install what the machine lacks and use a private server: see scripts/.

top := $(patsubst %/,%,$(dir $(firstword $(MAKEFILE_LIST))))

# These targets need no PostgreSQL yet (it may be one of the packages to install), so PGXS is not included for them.
scripted := check check-citus check-deep check-dockerfile check-drivers check-package check-servers demo docs bench quality unit format soak

ifneq (,$(filter $(scripted),$(MAKECMDGOALS)))

.PHONY: $(MAKECMDGOALS)

$(scripted):
	+@'$(top)/scripts/$@'

$(filter-out $(scripted),$(MAKECMDGOALS)):
	+@$(MAKE) --no-print-directory $@

else

EXTENSION = mf_ext
MODULE_big = mf_ext
version := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(top)/mf_ext.control)

sources := $(sort $(wildcard $(top)/src/core/*/*.cpp $(top)/src/report/*.cpp $(top)/src/pg/*.cpp $(top)/src/pg/*/*.cpp))
OBJS = $(patsubst $(top)/%.cpp,%.o,$(sources))
DATA = $(patsubst $(top)/%,%,$(sort $(wildcard $(top)/sql/mf_ext--*.sql)))

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
ifeq (,$(wildcard $(PGXS)))
$(error $(PG_CONFIG) leads to no PGXS. Install the server's development package, or set PG_CONFIG. \
    `make check` and `make demo` install what they need)
endif

# Portable code: kernels choose their instructions at run time. -ffast-math would change floating point for
# the whole server process at load, so only the two harmless parts of it are used.
OPTFLAGS ?= -O3 -fno-math-errno -fno-trapping-math

# As system headers, so that their warnings are not reported.
eigen_cflags := $(patsubst -I%,-isystem %,$(or $(shell pkg-config --cflags eigen3 2>/dev/null),-I/usr/include/eigen3))
shared_cppflags = -I$(top)/src $(eigen_cflags) -include core/base/eigen_config.hpp

# PGXS names the server's headers by -I as well; compilers let -isystem win.
PG_CPPFLAGS = $(shared_cppflags) -isystem $(shell $(PG_CONFIG) --includedir-server) -DMF_EXT_VERSION='"$(version)"'
PG_CXXFLAGS = -std=c++20 -Wall -Wextra -Wno-register $(clang_cxxflags) $(if $(WERROR),-Werror) \
    -fvisibility=hidden -fvisibility-inlines-hidden $(OPTFLAGS) -pthread -MMD -MP

# PGXS adds the warning options of the compiler that PostgreSQL was built with.
clang_cxxflags = $(if $(findstring clang,$(shell $(CXX) --version)),-Wno-unknown-warning-option)

# PGXS links with the C compiler.
SHLIB_LINK = -lstdc++ -pthread $(if $(filter darwin win32,$(PORTNAME)),,-Wl,--version-script=$(top)/src/exports.map)

# Bitcode would be compiled by another compiler with other flags, and inlining C++ behind one call gains nothing.
override with_llvm = no

# The database of each test already has the extension. Expected outputs are in expected/ at the
# top, where people look for them; pg_regress of 15 has no --expecteddir and finds them through the link test/expected.
REGRESS = $(patsubst $(top)/test/sql/%.sql,%,$(sort $(wildcard $(top)/test/sql/*.sql)))
REGRESS_OPTS = --inputdir=$(top)/test --outputdir=build/regress --load-extension=mf_ext
ISOLATION = $(patsubst $(top)/test/specs/%.spec,%,$(sort $(wildcard $(top)/test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=$(top)/test --outputdir=build/isolation --load-extension=mf_ext
REGRESS_PREP = build/regress build/isolation
TAP_TESTS = $(shell perl -MIPC::Run -e 'print 1' 2>/dev/null)
PROVE_TESTS = test/t/*.pl

EXTRA_CLEAN = $(OBJS:.o=.d) build

include $(PGXS)

# The core and the report are compiled without PostgreSQL's headers on the include path: they must not use them.
define without_postgresql
	@$(MKDIR_P) $(@D)
	$(CXX) $(CXXFLAGS) $(filter -D_FORTIFY_SOURCE=%,$(CPPFLAGS)) $(shared_cppflags) -c -o $@ $<
endef

src/core/%.o: src/core/%.cpp
	$(without_postgresql)

src/report/%.o: src/report/%.cpp
	$(without_postgresql)

src/pg/%.o: src/pg/%.cpp
	@$(MKDIR_P) $(@D)
	$(CXX) $(CXXFLAGS) $(CPPFLAGS) -c -o $@ $<

-include $(OBJS:.o=.d)

$(OBJS): Makefile
src/pg/module.o src/pg/wall/shared_memory.o: mf_ext.control
$(shlib): src/exports.map

$(REGRESS_PREP):
	$(MKDIR_P) $@

# For scripts: the value of a variable, e.g. make print-REGRESS
print-%:
	@echo $($*)

endif
