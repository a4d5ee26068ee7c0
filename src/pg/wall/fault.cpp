#include "pg/wall/fault.hpp"

#include <chrono>
#include <new>

#include "core/base/eigen_config.hpp"
#include <Eigen/Core>

#include "pg/wall/compat.hpp"

namespace mf::pg {
namespace {

int fault = static_cast<int>(Fault::None);

const config_enum_entry kFaults[] = {
    {"none", static_cast<int>(Fault::None), false},
    {"exception", static_cast<int>(Fault::Exception), false},
    {"bad_alloc", static_cast<int>(Fault::BadAlloc), false},
    {"eigen_assertion", static_cast<int>(Fault::EigenAssertion), false},
    {"unknown", static_cast<int>(Fault::Unknown), false},
    {"wait", static_cast<int>(Fault::Wait), false},
    {"shared_memory", static_cast<int>(Fault::SharedMemory), false},
    {"directory", static_cast<int>(Fault::Directory), false},
    {nullptr, 0, false},
};

void fail(Fault kind) {
    switch (kind) {
        case Fault::None:
        case Fault::SharedMemory:
        case Fault::Directory:
            return;
        case Fault::Exception:
            throw std::runtime_error("fault on demand");
        case Fault::BadAlloc: {
            // Volatile, since a compiler may omit an allocation that is never used.
            void* volatile too_much = ::operator new(static_cast<std::size_t>(1) << 62);
            ::operator delete(too_much);
            throw std::logic_error("allocated too much");
        }
        case Fault::EigenAssertion: {
            const Eigen::VectorXf a = Eigen::VectorXf::Zero(2);
            const Eigen::VectorXf b = Eigen::VectorXf::Zero(3);
            throw std::logic_error("a product of wrong sizes gave " + std::to_string(a.dot(b)));
        }
        case Fault::Unknown:
            throw 1;
        case Fault::Wait:
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

}  // namespace

void define_fault_setting_unsafe() {
    DefineCustomEnumVariable("mf_ext.fault", "Makes a training run fail, for tests.", nullptr, &fault,
                             static_cast<int>(Fault::None), kFaults, PGC_SUSET, GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE,
                             nullptr, nullptr, nullptr);
}

void provoke_fault(const Iteration& iteration) {
    const auto kind = static_cast<Fault>(fault);
    if (kind == Fault::None || kind == Fault::SharedMemory || kind == Fault::Directory ||
        (iteration.iteration > 1 && kind != Fault::Wait))
        return;
    Environment environment;
    environment.threads = 2;
    parallel_for(environment, 8, [kind](std::size_t, int) { fail(kind); });
}

void provoke_directory_error_unsafe() {
    if (static_cast<Fault>(fault) == Fault::Directory) elog(ERROR, "fault in the directory on demand");
}

std::size_t provoke_refusal(std::size_t bytes) {
    return static_cast<Fault>(fault) == Fault::SharedMemory ? std::size_t{1} << 60 : bytes;
}

}  // namespace mf::pg
