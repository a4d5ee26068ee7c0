#include "pg/training/packing.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/distributed/pack.hpp"
#include "pg/training/interactions_scan.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {
namespace {

std::uint64_t hash_of(std::int64_t id) { return id_text_hash(id); }
std::uint64_t hash_of(IdKind kind, std::string_view id) { return id_text_hash(kind, id); }

/// Hashes of a batch of ids.
void hash_all(IdKind, std::span<const std::int64_t> ids, std::uint64_t* hashes) {
    std::ranges::transform(ids, hashes, [](std::int64_t id) { return hash_of(id); });
}
void hash_all(IdKind kind, std::span<const std::string_view> ids, std::uint64_t* hashes) {
    std::ranges::transform(ids, hashes, [kind](std::string_view id) { return hash_of(kind, id); });
}

/// A sample of the rows by the hash of their cells: those with the smallest ones, so many that there are at most
/// kLargest. The threshold is a power of two, so that it depends on the rows alone, not on their order.
class SampleSink : public RowSink {
  public:
    SampleSink(const Source& source, Progress& progress)
        : progress_(progress),
          user_kind_(source.user.kind()),
          item_kind_(source.item.kind()),
          users_(user_kind_),
          items_(item_kind_) {}

    void rows(const RowBatch& batch) override {
        std::uint64_t user_hashes[kBatchRows], item_hashes[kBatchRows];
        batch.with_users([&](auto ids) { hash_all(user_kind_, ids, user_hashes); });
        batch.with_items([&](auto ids) { hash_all(item_kind_, ids, item_hashes); });
        std::uint32_t users[kBatchRows], items[kBatchRows];
        std::uint64_t hashes[kBatchRows];
        bool taken[kBatchRows];
        for (std::size_t i = 0; i < batch.size(); ++i) {
            hashes[i] = cell_hash(user_hashes[i], item_hashes[i], 0);
            taken[i] = is_taken(hashes[i]);
        }
        batch.with_users([&](auto ids) { intern(ids, taken, users_, users); });
        batch.with_items([&](auto ids) { intern(ids, taken, items_, items); });
        for (std::size_t i = 0; i < batch.size(); ++i)
            if (taken[i]) sample_.push_back({hashes[i], users[i], items[i]});
        while (sample_.size() > kLargest) {
            ++shift_;
            std::erase_if(sample_, [this](const Row& row) { return !is_taken(row.hash); });
        }
        rows_ += batch.size();
        progress_.rows_read(rows_);
    }

    SourceRanges ranges(std::uint32_t buckets) const {
        return {ranges_of(users_, &Row::user, buckets), ranges_of(items_, &Row::item, buckets), rows_};
    }
    std::uint64_t count() const { return rows_; }

  private:
    static constexpr std::size_t kLargest = std::size_t{1} << 17;

    struct Row {
        std::uint64_t hash;
        std::uint32_t user;
        std::uint32_t item;
    };

    bool is_taken(std::uint64_t hash) const { return shift_ == 0 || hash >> (64 - shift_) == 0; }

    template <class Id>
    static void intern(std::span<const Id> ids, const bool* taken, IdTable& table, std::uint32_t* indices) {
        for (std::size_t i = 0; i < ids.size(); ++i)
            if (taken[i]) indices[i] = table.intern(ids[i]);
    }

    /// Of the ids that are still in the sample.
    std::string ranges_of(const IdTable& ids, std::uint32_t Row::*id, std::uint32_t buckets) const {
        IdTable sampled(ids.kind());
        std::vector<std::uint32_t> indices;
        for (const Row& row : sample_) indices.push_back(sampled.intern(ids, row.*id));
        const std::vector<std::uint32_t> rank = sampled.sort();
        std::vector<std::uint64_t> counts(sampled.size());
        for (const std::uint32_t index : indices) ++counts[rank[index]];
        return IdRanges::of_sample(sampled, counts, buckets);
    }

    Progress& progress_;
    IdKind user_kind_;
    IdKind item_kind_;
    IdTable users_;
    IdTable items_;
    std::vector<Row> sample_;
    int shift_ = 0;
    std::uint64_t rows_ = 0;
};

/// Collects the rows of the buckets [first, end).
class BucketSink : public RowSink {
  public:
    BucketSink(const Source& source, const IdRanges& ranges, std::uint32_t first, std::uint32_t end, Progress& progress)
        : source_(source), ranges_(ranges), first_(first), progress_(progress), builders_(end - first) {}

    void rows(const RowBatch& batch) override {
        std::uint32_t buckets[kBatchRows];
        batch.with_users([&](auto ids) {
            for (std::size_t i = 0; i < ids.size(); ++i) buckets[i] = ranges_.find(ids[i]) - first_;
        });
        std::uint32_t users[kBatchRows], items[kBatchRows];
        batch.with_users([&](auto ids) { intern(ids, buckets, &InteractionsBuilder::users, users); });
        batch.with_items([&](auto ids) { intern(ids, buckets, &InteractionsBuilder::items, items); });
        for (std::size_t i = 0; i < batch.size(); ++i)
            if (buckets[i] < builders_.size())
                builders_[buckets[i]]->add(users[i], items[i], batch.value(i), batch.times()[i]);
        const std::uint64_t before = rows_;
        rows_ += batch.size();
        progress_.rows_read(rows_);
        if (before / kRowsPerCheck != rows_ / kRowsPerCheck) check_memory();
    }

    std::unique_ptr<InteractionsBuilder> take(std::uint32_t bucket) { return std::move(builders_[bucket - first_]); }

  private:
    static constexpr std::uint64_t kRowsPerCheck = std::uint64_t{1} << 16;

    InteractionsBuilder& builder(std::uint32_t at) {
        if (!builders_[at])
            builders_[at] = std::make_unique<InteractionsBuilder>(source_.user.kind(), source_.item.kind(),
                                                                  source_.time.has_value());
        return *builders_[at];
    }

    template <class Id>
    void intern(std::span<const Id> ids, const std::uint32_t* buckets, IdTable& (InteractionsBuilder::*table)(),
                std::uint32_t* indices) {
        for (std::size_t i = 0; i < ids.size(); ++i)
            if (buckets[i] < builders_.size()) indices[i] = (builder(buckets[i]).*table)().intern(ids[i]);
    }

    void check_memory() const {
        std::size_t bytes = 0;
        for (const auto& builder : builders_)
            if (builder) bytes += builder->memory();
        if (bytes <= setting_max_memory()) return;
        throw MemoryLimitExceeded("packing " + std::to_string(builders_.size()) + " buckets of users needs more than " +
                                      megabytes(setting_max_memory()) + " of memory, which is mf_ext.max_memory",
                                  {}, "Raise mf_ext.max_memory, or use more buckets.");
    }

    const Source& source_;
    const IdRanges& ranges_;
    std::uint32_t first_;
    Progress& progress_;
    std::uint64_t rows_ = 0;
    std::vector<std::unique_ptr<InteractionsBuilder>> builders_;
};

}  // namespace

SourceRanges find_ranges(const Source& source, const TrainOptions& options, std::uint32_t buckets, Progress& progress) {
    progress.phase("reading");
    SampleSink sink(source, progress);
    const std::uint64_t skipped = scan_source(source, sink, purpose(options));
    report_read(source, sink.count(), skipped);
    // So many that a block is some megabytes, and not fewer than there may be servers and processors.
    constexpr std::uint64_t kRowsABucket = 1 << 20, kFewest = 16, kMost = 4096;
    if (buckets == 0) buckets = static_cast<std::uint32_t>(std::clamp(sink.count() / kRowsABucket + 1, kFewest, kMost));
    return sink.ranges(buckets);
}

void pack_source(const Source& source, const TrainOptions& options, const SourceRanges& ranges,
                 Environment& environment, Progress& progress, const PackedSink& sink) {
    const IdRanges users(ranges.users);
    // A row takes 12 bytes, 20 with a time, and ids; when it is sorted and packed, 40 more, a bucket at a time.
    constexpr double kBytesARow = 32;
    const double wanted = static_cast<double>(ranges.rows) * kBytesARow;
    const double passes = std::ceil(wanted / (0.5 * static_cast<double>(setting_max_memory())));
    const auto a_pass = static_cast<std::uint32_t>(std::ceil(users.size() / std::max(passes, 1.0)));
    for (std::uint32_t first = 0; first < users.size(); first += a_pass) {
        const std::uint32_t end = std::min(first + a_pass, users.size());
        progress.phase("reading");
        BucketSink buckets(source, users, first, end, progress);
        scan_source(source, buckets, purpose(options));
        progress.phase("packing");
        for (std::uint32_t bucket = first; bucket < end; ++bucket) {
            const std::unique_ptr<InteractionsBuilder> builder = buckets.take(bucket);
            if (!builder) continue;  // the source has changed since the ranges were found
            const Dataset dataset = std::move(*builder).finish(options.duplicates_rule(), environment);
            sink(bucket, pack_users(dataset, options.test_fraction, options.seed, environment));
        }
    }
}

}  // namespace mf::pg
