// Names and texts as SQL writes them, for statements and hints that are put together from strings. What runs within
// pg_call uses PostgreSQL's functions, whose results need no destructor.
#pragma once

#include <string>

namespace mf::pg {

/// A name, in quotation marks if it needs them.
std::string quoted_name(const std::string& name);

/// The same with its schema.
std::string quoted_name(const std::string& schema, const std::string& name);

/// A text as a literal that means the same whatever standard_conforming_strings says.
std::string quoted_literal(const std::string& text);

}  // namespace mf::pg
