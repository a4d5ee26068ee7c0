#include "pg/wall/shared_memory.hpp"

extern "C" {
#include "storage/shmem.h"
}

namespace mf::pg {

// PostgreSQL 17 has GetNamedDSMSegment for this, but 15 and 16 need these lines as long as they are supported, so that
// a second way would only be more code. It also maps the segment in each backend, where this memory is mapped already.
void* shared_struct_unsafe(const char* name, Size bytes, void (*initialize)(void*)) {
    char versioned[64];
    snprintf(versioned, sizeof versioned, "%s " MF_EXT_VERSION, name);
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    bool found;
    void* memory = ShmemInitStruct(versioned, bytes, &found);
    if (!found) {
        memset(memory, 0, bytes);
        initialize(memory);
    }
    LWLockRelease(AddinShmemInitLock);
    return memory;
}

}  // namespace mf::pg
