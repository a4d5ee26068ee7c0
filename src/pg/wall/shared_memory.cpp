#include "pg/wall/shared_memory.hpp"

extern "C" {
#include "storage/shmem.h"
}

namespace mf::pg {

// PostgreSQL 17 has GetNamedDSMSegment for this. But as long as 15 and 16 are supported they need these lines, so a
// second way would only add code; besides, it maps a segment in each backend, and this memory is mapped already.
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
