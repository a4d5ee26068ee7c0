// Faults on demand, for the tests of the wall: setting mf_ext.fault (superusers, hidden from SHOW ALL) makes a
// training fail after its first iteration in one of the ways that C++ can, or the server refuse shared memory, or
// the directory of shared items fail.
#pragma once

#include "core/base/parallel.hpp"

namespace mf::pg {

enum class Fault { None, Exception, BadAlloc, EigenAssertion, Unknown, Wait, SharedMemory, Directory };

/// Registers the setting; called from define_settings_unsafe.
void define_fault_setting_unsafe();

/// Throws, on a worker thread, what the setting names; Wait sleeps there so that a test can act meanwhile.
void provoke_fault(const Iteration& iteration);

/// Bytes of shared memory to ask for in place of those needed: more than there are, if the setting wants a refusal.
std::size_t provoke_refusal(std::size_t bytes);

/// Raises an error, if the setting wants one while the directory of shared items is locked.
void provoke_directory_error_unsafe();

}  // namespace mf::pg
