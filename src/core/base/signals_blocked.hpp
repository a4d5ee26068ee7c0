// Threads of ours run no signal handlers of the host.
#pragma once

#include <pthread.h>
#include <signal.h>

namespace mf {

/// Blocks every signal that can be handled asynchronously while the object lives; threads started meanwhile inherit the
/// mask.
class SignalsBlocked {
  public:
    SignalsBlocked() {
        sigset_t blocked;
        sigfillset(&blocked);
        // The signal of a fault goes to the thread that caused it. If it were blocked, the kernel would kill the
        // process without the host's crash handling.
        for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigdelset(&blocked, fault);
        pthread_sigmask(SIG_SETMASK, &blocked, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    sigset_t before_;
};

}  // namespace mf
