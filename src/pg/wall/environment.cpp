#include "pg/wall/environment.hpp"

#include "pg/wall/fault.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {

Environment quiet_environment() {
    Environment environment;
    environment.threads = setting_threads();
    environment.interrupted = [] { return static_cast<bool>(INTERRUPTS_PENDING_CONDITION()); };
    // Pending does not mean cancelled: most interrupts are handled and control returns.
    environment.checkpoint = [] { pg_call([] { CHECK_FOR_INTERRUPTS(); }); };
    return environment;
}

Environment make_environment(Progress& progress) {
    Environment environment = quiet_environment();
    environment.on_phase = [&progress](const char* name, int total) { progress.factors(name, total); };
    environment.on_iteration = [&progress](const Iteration& iteration) {
        progress.iteration(iteration);
        provoke_fault(iteration);
        pg_call([&iteration] {
            ereport(DEBUG1,
                    (errmsg_internal("mf_ext: %s: iteration %d of %d, loss %g, held-out metric %g", iteration.phase,
                                     iteration.iteration, iteration.total, iteration.loss, iteration.test_metric)));
        });
        return true;
    };
    return environment;
}

void report(int level, const std::string& message, const std::string& detail, const std::string& hint) {
    pg_call([level, message = message.c_str(), detail = detail.c_str(), hint = hint.c_str()] {
        ereport(level, (errmsg("%s", message), *detail != '\0' ? errdetail("%s", detail) : 0,
                        *hint != '\0' ? errhint("%s", hint) : 0));
    });
}

}  // namespace mf::pg
