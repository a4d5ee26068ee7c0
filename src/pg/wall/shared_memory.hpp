// The extension's structures in the server's main shared memory.
#pragma once

#include "pg/wall/guard.hpp"

extern "C" {
#include "storage/lwlock.h"
}

namespace mf::pg {

/// The structure of that name, created by the first session that needs it, so that the library need not be preloaded.
/// Its memory comes from the slack of the main segment, about 100 kB for all extensions. initialize(memory) is called
/// once, on zeroed memory. Each version of the library has a structure of its own: after an upgrade, sessions with the
/// old and with the new library run side by side. Raises an error if there is no room.
void* shared_struct_unsafe(const char* name, Size bytes, void (*initialize)(void*));

}  // namespace mf::pg
