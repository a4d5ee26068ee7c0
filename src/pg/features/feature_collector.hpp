// Features as they arrive, one by one, checked and collected.
#pragma once

#include "pg/features/feature_rows.hpp"

namespace mf::pg {

/// One feature of the current row, decoded; points into memory of the executor.
struct RawFeature {
    std::size_t column;       ///< of FeatureRelation::columns
    std::string_view text{};  ///< of Name and what is `column=value`
    double number = 1.0;      ///< of Number; the weight of a Name
};

class FeatureCollector {
  public:
    /// Collects the rows of the ids among `only`, which are of the relation's kind; null: all rows.
    explicit FeatureCollector(const FeatureRelation& relation, const Ids* only = nullptr);

    /// The row that the next features are of, by its id in the one or the other form. False: it is not to be collected.
    bool begin_row(std::int64_t integer, std::string_view bytes) {
        integer_ = integer;
        bytes_ = bytes;
        id_index_.reset();
        if (only_ == nullptr) return true;
        return (only_->kind() == IdKind::Integer ? only_->find(integer) : only_->find(bytes)).has_value();
    }

    /// Throws as read_features().
    void add(const RawFeature& feature);

    /// For a jsonb value that is not taken; `key` is one of an object's keys. Throws datatype_mismatch.
    [[noreturn]] void refuse_json(std::size_t column, bool is_element, bool is_object, std::string_view key) const;

    FeatureRows finish(Environment& environment) &&;

  private:
    /// What the columns have in common with all of their values.
    struct Column {
        FeatureForm form;
        std::string prefix;  ///< of the names of its features
        std::string quoted;  ///< for SQL
    };

    void check_memory();
    void check_name(const std::string& name) const;
    void check_weight(const std::string& name, double weight);
    void check_number(const Column& column, double number) const;
    std::string shown_row_id() const { return shown_id(relation_.id.kind(), integer_, bytes_); }
    std::uint32_t id_index();

    const FeatureRelation& relation_;
    const Ids* only_;
    std::vector<Column> columns_;
    InteractionsBuilder builder_;
    std::string name_;  ///< of the current feature; kept for its memory
    double total_weight_ = 0;
    std::int64_t integer_ = 0;
    std::string_view bytes_;
    std::optional<std::uint32_t> id_index_;
};

}  // namespace mf::pg
