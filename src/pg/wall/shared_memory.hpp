// Structures of ours in the server's main shared memory.
#pragma once

#include "pg/wall/guard.hpp"

extern "C" {
#include "storage/lwlock.h"
}

namespace mf::pg {

/// The structure of that name, made by whoever needs it first, so that the library need not be preloaded: its memory
/// comes from the slack of the main segment, about 100 kB for all extensions. initialize(memory) is called once, on
/// zeros. Each version of the library has its own: after an upgrade, sessions with the old library and sessions with
/// the new one live side by side. Raises if there is no room.
void* shared_struct_unsafe(const char* name, Size bytes, void (*initialize)(void*));

}  // namespace mf::pg
