// mf_recommend_for: lists for a basket or a session, without a user.
#include <algorithm>
#include <limits>

#include "pg/cache/model_for_call.hpp"
#include "pg/serving/recommendations.hpp"
#include "pg/wall/boundary.hpp"

namespace mf::pg {
namespace {

/// Elements of a double precision[]; count -1 if the argument is NULL.
struct NumberArrayView {
    int count = -1;
    double* elements = nullptr;
    bool* nulls = nullptr;
};

NumberArrayView number_array_argument_unsafe(FunctionCallInfo fcinfo, int number) {
    NumberArrayView view;
    if (PG_ARGISNULL(number)) return view;
    Datum* datums;
    deconstruct_array(PG_GETARG_ARRAYTYPE_P(number), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
                      &datums, &view.nulls, &view.count);
    view.elements = static_cast<double*>(
        MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * static_cast<Size>(view.count + 1)));
    for (int i = 0; i < view.count; ++i) view.elements[i] = view.nulls[i] ? 0 : DatumGetFloat8(datums[i]);
    return view;
}

struct Arguments : ListArguments {
    IdArrayView items;
    NumberArrayView ratings;
    IdArrayView candidates;
    IdArrayView exclude;
    double diversity;
};

Arguments read_arguments_unsafe(FunctionCallInfo fcinfo, IdKind kind) {
    return {list_arguments_unsafe(fcinfo, 2, 6),       id_array_argument_unsafe(fcinfo, 0, kind),
            number_array_argument_unsafe(fcinfo, 1),   id_array_argument_unsafe(fcinfo, 4, kind),
            id_array_argument_unsafe(fcinfo, 5, kind), PG_ARGISNULL(7) ? 0 : PG_GETARG_FLOAT8(7)};
}

void check_ratings(const Arguments& arguments, bool are_weights) {
    const NumberArrayView& ratings = arguments.ratings;
    if (ratings.count < 0) return;
    if (ratings.count != arguments.items.count)
        throw SqlError(ERRCODE_ARRAY_SUBSCRIPT_ERROR,
                       "item_ids has length " + std::to_string(arguments.items.count) + ", but ratings has length " +
                           std::to_string(ratings.count),
                       "", "Pass a rating, or NULL, for each item.");
    for (int i = 0; i < ratings.count; ++i) {
        if (ratings.nulls[i]) continue;
        const double rating = ratings.elements[i];
        if (!(std::fabs(rating) <= double{std::numeric_limits<float>::max()}))
            throw SqlError(
                ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
                "rating number " + std::to_string(i + 1) + ", " + shown_number(rating) +
                    (std::isfinite(rating) ? ", is out of range for type real" : ", is not a finite number"));
        if (are_weights && rating < 0)
            throw SqlError(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
                           "rating number " + std::to_string(i + 1) + " is negative",
                           "With implicit feedback a rating is the weight of an interaction, zero or more.");
    }
}

/// The items that the model knows with their ratings, repeated ones merged by the model's rule; the last of the array
/// counts as the newest.
std::vector<HistoryEntry> history_of(const ServingModel& model, const Arguments& arguments) {
    struct Given {
        std::uint32_t item;
        float value;  // NaN: none
    };
    std::vector<Given> given;
    for (int i = 0; i < arguments.items.count; ++i) {
        if (arguments.items.elements[i].null) continue;
        const std::optional<std::uint32_t> item = known_item(model, arguments.items.elements[i]);
        if (!item) continue;
        const bool has_rating = arguments.ratings.count >= 0 && !arguments.ratings.nulls[i];
        given.push_back({*item, has_rating ? static_cast<float>(arguments.ratings.elements[i])
                                           : std::numeric_limits<float>::quiet_NaN()});
    }
    std::stable_sort(given.begin(), given.end(), [](const Given& a, const Given& b) { return a.item < b.item; });

    std::vector<HistoryEntry> entries;
    for (std::size_t begin = 0, end; begin < given.size(); begin = end) {
        MergedValue merged(model.duplicates);
        for (end = begin; end < given.size() && given[end].item == given[begin].item; ++end)
            if (!std::isnan(given[end].value)) merged.add(given[end].value);
        entries.push_back({given[begin].item, merged.value()});
    }
    return entries;
}

Datum recommend_for(FunctionCallInfo fcinfo, IdKind kind) {
    const Arguments arguments = pg_call([fcinfo, kind] { return read_arguments_unsafe(fcinfo, kind); });
    const std::size_t n = list_length(arguments.n);
    const double diversity = checked_diversity(arguments.diversity, n);
    if (arguments.items.count < 0 || n == 0) return Datum{0};
    const std::shared_ptr<ServingModel> model =
        serving_model(arguments.catalog, arguments.model, arguments.version, kind, NamedIds::Items);
    check_ratings(arguments, model->feedback == Feedback::Implicit && !model->dislikes());
    const UserState user = user_of_history(arguments.catalog, *model, history_of(*model, arguments));
    put_recommendations(fcinfo, kind, *model, user, n, {arguments.candidates, arguments.exclude, true, diversity});
    return Datum{0};
}

}  // namespace

MF_ID_FUNCTIONS(mf_recommend_for, recommend_for)

}  // namespace mf::pg
