// Faults on demand, for the tests of the wall: the setting mf_ext.fault (superusers only, hidden from SHOW ALL) makes a
// training run fail after its first iteration in one of the ways of C++, or the server refuse shared memory, or the
// directory of shared items fail.
#pragma once

#include "core/base/parallel.hpp"

namespace mf::pg {

enum class Fault { None, Exception, BadAlloc, EigenAssertion, Unknown, Wait, SharedMemory, Directory };

/// Registers the setting; called from define_settings_unsafe.
void define_fault_setting_unsafe();

/// Throws the exception that the setting names, on a worker thread; Wait sleeps there, so that a test can act
/// meanwhile.
void provoke_fault(const Iteration& iteration);

/// Bytes of shared memory to request instead of `bytes`: more than available if the setting demands a refusal.
std::size_t provoke_refusal(std::size_t bytes);

/// Raises an error, called while the directory of shared items is locked, if the setting demands one.
void provoke_directory_error_unsafe();

}  // namespace mf::pg
