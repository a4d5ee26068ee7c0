// mf_generate: writes generated ratings to standard output, for COPY. The same options give the same bytes.
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

#include "rating_stream.hpp"

namespace {

using namespace mf;
using namespace mf::bench;

constexpr const char* kUsage =
    R"usage(usage: mf_generate --set S1|S20|S100 [OPTION VALUE]...
       mf_generate --users N --items N --ratings N [OPTION VALUE]...

Writes rows (user_id, item_id, rating), skewed as real ones are, to standard output.
  --set S1    6,924 users x 3,706 items, 1,000,000 ratings
        S20   138,493 x 26,744, 20,000,000
        S100  692,465 x 26,744, 100,000,000
  --seed N                      default 1
  --ids int|bigint|uuid|text    default int
  --format csv|binary           default csv; binary is COPY's, for columns of the ids' type and real
  --order user|random           default user: ascending by user and item; random: users in random order, rows
                                shuffled within windows of 4,194,304

  mf_generate --set S1 --format binary | psql -c "COPY ratings FROM STDIN (FORMAT binary)"
)usage";

const std::map<std::string_view, Shape> kSets = {{"S1", kMillion}, {"S20", kTwentyMillion}, {"S100", kHundredMillion}};
const std::map<std::string_view, IdType> kIds = {
    {"int", IdType::Int}, {"bigint", IdType::Bigint}, {"uuid", IdType::Uuid}, {"text", IdType::Text}};
const std::map<std::string_view, CopyFormat> kFormats = {{"csv", CopyFormat::Csv}, {"binary", CopyFormat::Binary}};
const std::map<std::string_view, RowOrder> kOrders = {{"user", RowOrder::User}, {"random", RowOrder::Random}};

template <class Value>
Value choose(const std::map<std::string_view, Value>& values, const std::string& option, const std::string& word) {
    const auto found = values.find(word);
    if (found == values.end()) throw std::invalid_argument(option + " " + word + " is not known");
    return found->second;
}

template <class Number>
Number read(const std::string& option, const std::string& word) {
    Number number{};
    const char* end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, number);
    if (error != std::errc() || stop != end) throw std::invalid_argument(option + " " + word + " is no such number");
    return number;
}

void generate(int argc, char** argv) {
    Shape shape{};
    std::uint64_t seed = 1;
    IdType ids = IdType::Int;
    CopyFormat format = CopyFormat::Csv;
    RowOrder order = RowOrder::User;
    for (int a = 1; a < argc; a += 2) {
        const std::string option = argv[a];
        if (a + 1 == argc) throw std::invalid_argument(option + " needs a value");
        const std::string value = argv[a + 1];
        if (option == "--set")
            shape = choose(kSets, option, value);
        else if (option == "--users")
            shape.users = read<std::uint32_t>(option, value);
        else if (option == "--items")
            shape.items = read<std::uint32_t>(option, value);
        else if (option == "--ratings")
            shape.ratings = read<std::uint64_t>(option, value);
        else if (option == "--seed")
            seed = read<std::uint64_t>(option, value);
        else if (option == "--ids")
            ids = choose(kIds, option, value);
        else if (option == "--format")
            format = choose(kFormats, option, value);
        else if (option == "--order")
            order = choose(kOrders, option, value);
        else
            throw std::invalid_argument(option + " is no option");
    }
    if (shape.users > 0x7fffffff || shape.items > 0x7fffffff)
        throw std::invalid_argument("users and items must fit the type integer");

    SkewedRatings ratings(shape, seed);
    write_ratings(ratings, CopyEncoder(ids, format), order, seed, [](std::string_view bytes) {
        if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size())
            throw std::runtime_error(std::string("cannot write: ") + std::strerror(errno));
    });
    if (std::fflush(stdout) != 0) throw std::runtime_error(std::string("cannot write: ") + std::strerror(errno));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 1 || std::string_view(argv[1]) == "--help") {
        std::fputs(kUsage, argc == 1 ? stderr : stdout);
        return argc == 1 ? 2 : 0;
    }
    try {
        generate(argc, argv);
    } catch (const std::invalid_argument& error) {
        std::fprintf(stderr, "mf_generate: %s\n%s", error.what(), kUsage);
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "mf_generate: %s\n", error.what());
        return 1;
    }
}
