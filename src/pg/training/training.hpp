// A training run from its checked arguments to the published version: what mf_train and its kin share.
#pragma once

#include <chrono>

#include "core/data/interactions.hpp"
#include "pg/models/model_rows.hpp"
#include "pg/training/train_arguments.hpp"

namespace mf::pg {

/// What a training run reports.
struct TrainingOutcome {
    std::int32_t version = 0;
    std::string message;  ///< why the version is not live; empty: it is
    TrainSummary summary;
    std::string found;  ///< from the data, as JSON; empty: nothing
    double seconds = 0;

    const char* message_or_null() const { return message.empty() ? nullptr : message.c_str(); }
};

/// A training run in its three steps: the first and the last one need a transaction and its snapshot, which need not be
/// the same; the one between, which may take hours, needs none.
class Training {
  public:
    Training(const Catalog& catalog, TrainArguments arguments);
    ~Training();
    Training(const Training&) = delete;
    Training& operator=(const Training&) = delete;

    /// Locks the model until the end of the transaction, checks that the caller may train it, and reads the source
    /// and, if there is a version to start from, that one's factors. Warns if histories cannot be read through an
    /// index.
    void read(const ModelVersion* start_from);

    /// Instead of read(): takes interactions that were read since `begin`, for a training run without features and
    /// with nothing to start from.
    void take(Dataset interactions, std::chrono::steady_clock::time_point begin);

    /// With factors to start from a third of the iterations.
    void train();

    /// After train(): what the user should know of numbers found from the data.
    const std::vector<std::string>& notes() const;

    /// Locks and checks again, since the transaction may be another one; stores, publishes if the terms are met, and
    /// says so at LOG.
    TrainingOutcome store();

    const TrainArguments& arguments() const { return arguments_; }

  private:
    void read_here(const ModelVersion* start_from);
    /// Has the items in the shared cache once the transaction commits, so that no session has to read them for its
    /// first list.
    void make_ready(std::int32_t version, std::int64_t model_id);

    struct State;
    Catalog catalog_;
    TrainArguments arguments_;
    std::unique_ptr<State> state_;
};

/// Warns if histories cannot be read through an index.
void warn_without_index(const Source& source);

/// What the versions that a model has ask of a further one. A model that was trained on another relation, which still
/// exists, is replaced only by a call that names it: throws duplicate_object where the name is the source's. A first
/// version has to be published: throws object_not_in_prerequisite_state.
void check_former(const Catalog& catalog, const TrainArguments& arguments);

/// Says by a NOTICE that a model whose name is given was trained on another relation, which still exists. For sessions:
/// nobody reads the NOTICEs of a job.
void tell_of_former_source(const Catalog& catalog, const TrainArguments& arguments);

/// What may surprise about the arguments, as NOTICEs; each once in a session.
void advise(const TrainArguments& arguments);

/// All three steps in the transaction of a session.
TrainingOutcome run_training(const Catalog& catalog, const TrainArguments& arguments,
                             const ModelVersion* start_from = nullptr);

/// Adds the outcome as the row of a function that returns what mf_train returns.
void put_outcome(FunctionCallInfo fcinfo, const TrainArguments& arguments, const TrainingOutcome& outcome);

}  // namespace mf::pg
