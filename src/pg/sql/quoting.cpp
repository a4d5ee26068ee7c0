#include "pg/sql/quoting.hpp"

#include "pg/wall/guard.hpp"

namespace mf::pg {

std::string quoted_name(const std::string& name) {
    return pg_call([name = name.c_str()] { return quote_identifier(name); });
}

std::string quoted_name(const std::string& schema, const std::string& name) {
    return pg_call([schema = schema.c_str(), name = name.c_str()] { return quote_qualified_identifier(schema, name); });
}

std::string quoted_literal(const std::string& text) {
    return pg_call([text = text.c_str()] { return quote_literal_cstr(text); });
}

}  // namespace mf::pg
